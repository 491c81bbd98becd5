-- Names without diacritics, so that "Gundogan" finds Gündoğan; "Gündoğan" finds only who is written so.
ALTER TABLE brp_persons ADD COLUMN surname_plain TEXT NOT NULL DEFAULT '';
ALTER TABLE brp_persons ADD COLUMN given_plain TEXT NOT NULL DEFAULT '';
UPDATE brp_persons SET surname_plain = surname, given_plain = given_names;
-- The file is read again at the next start, which fills them.
DELETE FROM brp_source;
