"""Version 4: from which day on something is kept, as records of earlier days count no more."""

STATEMENTS = ("ALTER TABLE retention ADD COLUMN kept_from INTEGER NOT NULL DEFAULT 0",)
