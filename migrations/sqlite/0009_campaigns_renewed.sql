-- A campaign carries no stale fact. For each variable: when it was set or confirmed, and how many runs there had been by
-- then; a JSON object by name. A variable without an entry was set when the campaign was created.
ALTER TABLE campaign ADD COLUMN dated TEXT NOT NULL DEFAULT '{}';
-- How many runs it has made, by plan or by hand: a variable that was set before the latest of them was used by it.
ALTER TABLE campaign ADD COLUMN runs INTEGER NOT NULL DEFAULT 0;
UPDATE campaign SET runs = (SELECT COUNT(*) FROM broadcast WHERE broadcast.campaign_id = campaign.id);
-- Since when its due run, that of next_ms, waits for variables to be renewed (NULL: it does not).
ALTER TABLE campaign ADD COLUMN waiting_ms INTEGER;

-- A campaign that was removed keeps its row, to which its broadcasts refer; its name can be used again.
ALTER TABLE campaign ADD COLUMN removed_ms INTEGER;
DROP INDEX campaign_name;
CREATE UNIQUE INDEX campaign_name ON campaign (name) WHERE removed_ms IS NULL;
