-- What an account's circuit breaker knows, so that a restart forgets nothing and other nodes see it: until when it rests
-- (NULL: it does not), how many faults in a row there were, and the last of them with the provider's own words.
ALTER TABLE provider_state ADD COLUMN rests_until_ms INTEGER;
ALTER TABLE provider_state ADD COLUMN faults INTEGER NOT NULL DEFAULT 0;
ALTER TABLE provider_state ADD COLUMN fault TEXT;
ALTER TABLE provider_state ADD COLUMN fault_text TEXT;
ALTER TABLE provider_state ADD COLUMN faulted_ms INTEGER;

-- What counts against an account's daily budget, over all nodes: hand-overs, and their cost in millionths. Both belong to
-- the day that ends at the moment given; after it they count for nothing.
ALTER TABLE provider_state ADD COLUMN day_ends_ms INTEGER;
ALTER TABLE provider_state ADD COLUMN day_hand_overs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE provider_state ADD COLUMN day_cost INTEGER NOT NULL DEFAULT 0;

-- An attempt keeps the address as it was handed over, because a message's address may be corrected later; and what the
-- provider charged for it: a decimal number as the provider wrote it, and its unit.
ALTER TABLE attempt ADD COLUMN dialled TEXT;
ALTER TABLE attempt ADD COLUMN billed_amount TEXT;
ALTER TABLE attempt ADD COLUMN billed_unit TEXT;
