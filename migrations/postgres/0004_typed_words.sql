-- Words become types: reasons, kinds of events, actors and audit acts have one spelling each, and a word that a program does
-- not know is an error that names its row.

-- A message keeps the one key by which addresses are compared, so that an opt-out under any spelling finds it.
ALTER TABLE message ADD COLUMN address_key TEXT NOT NULL DEFAULT '';
UPDATE message SET address_key = LOWER(address);
DROP INDEX message_unsettled;
CREATE INDEX message_unsettled ON message (channel, address_key) WHERE settled_ms IS NULL;

-- The same for referrers' mailboxes.
ALTER TABLE referrer ADD COLUMN email_key TEXT;
UPDATE referrer SET email_key = LOWER(email) WHERE email IS NOT NULL;
DROP INDEX referrer_email;
CREATE INDEX referrer_email ON referrer (email_key) WHERE email_key IS NOT NULL;

-- When a person released a message from a hold, or retried it. It was a word among the reasons, which the next reason erased.
ALTER TABLE message ADD COLUMN released_ms BIGINT;
UPDATE message SET released_ms = updated_ms WHERE reason = 'released';
UPDATE message SET reason = NULL WHERE reason = 'released';
UPDATE message SET reason = 'unknown' WHERE reason IS NOT NULL AND reason NOT IN (
    'opted_out', 'do_not_contact', 'no_basis', 'dead_address', 'no_baa', 'no_route', 'referrer_paused',
    'conversation_open', 'number_busy', 'provider_paused', 'provider_resting', 'budget_spent', 'rate_reached',
    'rendering_failed', 'restored', 'gave_up', 'no_final_report', 'outcome_unknown', 'held_by_operator',
    'cancelled_by_operator', 'busy', 'no_answer', 'line_error', 'negotiation_error', 'not_a_fax',
    'invalid_number', 'rejected_by_remote', 'blocked', 'partial_send', 'document_error', 'account_error',
    'rate_limited', 'provider_error', 'cancelled', 'expired', 'mailbox_unknown', 'domain_unknown', 'mailbox_full',
    'mailbox_disabled', 'deferred', 'policy_refusal', 'too_large', 'tls_required', 'complaint', 'protocol_error',
    'unknown');

-- Why a message came to where it is stands apart from the words for people.
ALTER TABLE event ADD COLUMN reason TEXT;
UPDATE event SET reason = detail, detail = NULL WHERE attempt_id IS NULL AND detail IN (
    'opted_out', 'do_not_contact', 'no_basis', 'dead_address', 'no_baa', 'no_route', 'referrer_paused',
    'conversation_open', 'number_busy', 'provider_paused', 'provider_resting', 'budget_spent', 'rate_reached',
    'rendering_failed', 'restored', 'gave_up', 'no_final_report', 'outcome_unknown', 'held_by_operator',
    'cancelled_by_operator', 'busy', 'no_answer', 'line_error', 'negotiation_error', 'not_a_fax',
    'invalid_number', 'rejected_by_remote', 'blocked', 'partial_send', 'document_error', 'account_error',
    'rate_limited', 'provider_error', 'cancelled', 'expired', 'mailbox_unknown', 'domain_unknown', 'mailbox_full',
    'mailbox_disabled', 'deferred', 'policy_refusal', 'too_large', 'tls_required', 'complaint', 'protocol_error',
    'unknown');
UPDATE event SET detail = NULL WHERE detail = 'released';
-- An event that a person's decision about a doubt, or an old version, left without a kind we know keeps its word as detail.
UPDATE event SET detail = kind, kind = 'progress' WHERE kind NOT IN ('queued', 'held', 'released', 'retried', 'cancel_asked',
    'accepted', 'refused', 'not_sent', 'in_doubt', 'progress', 'delivered', 'failed', 'suppressed', 'cancelled', 'expired',
    'presumed_delivered', 'said_sent', 'said_not_sent', 'found_absent', 'no_final_report', 'orphaned', 'charged',
    'contradicted');

-- Who did it: kind and name.
UPDATE event SET who = CASE
    WHEN source = 'policy' THEN CASE who
        WHEN 'gate' THEN 'rule:gate'
        WHEN 'renderer' THEN 'rule:renderer'
        WHEN 'restore' THEN 'rule:after_restore'
        WHEN 'no bounce came in time' THEN 'rule:no_bounce_in_time'
        WHEN 'no final report came in time' THEN 'rule:no_report_in_time'
        WHEN 'setting smtp_doubt = assume_sent' THEN 'rule:smtp_doubt_assume_sent'
        WHEN 'setting smtp_doubt = resend' THEN 'rule:smtp_doubt_resend'
        ELSE 'rule:found_unfinished' END
    WHEN source <> 'operator' THEN 'provider:' || who
    WHEN who = 'recipient' THEN 'recipient'
    WHEN who LIKE 'api:%' THEN 'token:' || SUBSTR(who, 5)
    WHEN who LIKE 'campaign %' THEN 'campaign:' || SUBSTR(who, 10)
    ELSE 'operator:' || who END;
UPDATE audit SET who = CASE
    WHEN who = 'recipient' THEN 'recipient'
    WHEN who IN ('touchline', 'schedule') THEN 'system'
    WHEN who LIKE 'api:%' THEN 'token:' || SUBSTR(who, 5)
    WHEN who LIKE 'campaign %' THEN 'campaign:' || SUBSTR(who, 10)
    ELSE 'operator:' || who END;
UPDATE submission SET who = CASE
    WHEN who = 'recipient' THEN 'recipient'
    WHEN who IN ('touchline', 'schedule') THEN 'system'
    WHEN who LIKE 'api:%' THEN 'token:' || SUBSTR(who, 5)
    WHEN who LIKE 'campaign %' THEN 'campaign:' || SUBSTR(who, 10)
    ELSE 'operator:' || who END;
UPDATE campaign SET who = CASE
    WHEN who = 'recipient' THEN 'recipient'
    WHEN who IN ('touchline', 'schedule') THEN 'system'
    WHEN who LIKE 'api:%' THEN 'token:' || SUBSTR(who, 5)
    WHEN who LIKE 'campaign %' THEN 'campaign:' || SUBSTR(who, 10)
    ELSE 'operator:' || who END;
UPDATE touch SET actor = CASE
    WHEN actor = 'recipient' THEN 'recipient'
    WHEN actor IN ('touchline', 'schedule') THEN 'system'
    WHEN actor LIKE 'api:%' THEN 'token:' || SUBSTR(actor, 5)
    WHEN actor LIKE 'campaign %' THEN 'campaign:' || SUBSTR(actor, 10)
    ELSE 'operator:' || actor END;
UPDATE suppression SET who = CASE
    WHEN who = 'recipient' THEN 'recipient'
    WHEN who IN ('touchline', 'schedule') THEN 'system'
    WHEN who LIKE 'api:%' THEN 'token:' || SUBSTR(who, 5)
    WHEN who LIKE 'campaign %' THEN 'campaign:' || SUBSTR(who, 10)
    ELSE 'operator:' || who END;
UPDATE suppression SET lifted_by = CASE
    WHEN lifted_by = 'recipient' THEN 'recipient'
    WHEN lifted_by IN ('touchline', 'schedule') THEN 'system'
    WHEN lifted_by LIKE 'api:%' THEN 'token:' || SUBSTR(lifted_by, 5)
    WHEN lifted_by LIKE 'campaign %' THEN 'campaign:' || SUBSTR(lifted_by, 10)
    ELSE 'operator:' || lifted_by END WHERE lifted_by IS NOT NULL;

-- Why an address is refused is a word; what was written freely becomes its evidence.
UPDATE suppression SET evidence = COALESCE(evidence || ' ', '') || '(' || reason || ')', reason = 'other'
    WHERE reason NOT IN ('opt_out', 'complaint', 'bounced', 'do_not_contact', 'other');
UPDATE suppression SET source = 'operator' WHERE source NOT IN ('operator', 'web', 'one_click', 'provider', 'import');
