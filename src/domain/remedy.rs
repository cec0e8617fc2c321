//! What can be done about a refusal of mail: one word for each way out. The sentences are in `wording`.

use super::words::words;

words! {
    /// What a person can do, or that nobody need do anything.
    Remedy {
        /// Check the user name and the password of the account.
        CheckPassword = "check_password",
        /// Make an app password at Google, or use OAuth.
        AppPassword = "app_password",
        /// Microsoft 365 takes no password for this mailbox: OAuth, or its administrator.
        OauthMicrosoft = "oauth_microsoft",
        /// Log in once in a browser, or use OAuth, at Google.
        OauthGoogle = "oauth_google",
        /// A person must sign in to the mailbox, for the first time or again.
        SignIn = "sign_in",
        /// The app registration that signs in is wrong, has ended, or lacks a permission or its consent.
        AppRegistration = "app_registration",
        /// The sign-in is good, and the mailbox does not let it in: an administrator allows it there.
        MailboxAccess = "mailbox_access",
        /// The relay offers no login that both sides know.
        OtherLogin = "other_login",
        /// Configure a user name and a password.
        LogIn = "log_in",
        /// Let the account send as the practice's address.
        AllowSendAs = "allow_send_as",
        /// Have the sender's address or domain verified at the relay.
        VerifyIdentity = "verify_identity",
        /// Let this machine or this account send through the relay.
        AllowRelay = "allow_relay",
        /// Publish SPF, DKIM and DMARC for the sender's domain.
        FixDomainRecords = "fix_domain_records",
        /// Give this machine the name that the relay wants to hear.
        SetHelloName = "set_hello_name",
        /// Have the sending machine taken off a block list, or send through another relay.
        AskDelisting = "ask_delisting",
        /// Ask the relay's support to open the account again.
        AskRelay = "ask_relay",
        /// The relay says the same to several recipients in a row: read its words and decide whether they are about us.
        SameForAll = "same_for_all",
        /// Pay, or change the plan.
        PayRelay = "pay_relay",
        /// Let the account encrypt, or the relay offer it.
        UseEncryption = "use_encryption",
        /// Wait until the quota returns; send less, or raise it.
        WaitForQuota = "wait_for_quota",
        /// Send more slowly.
        SlowDown = "slow_down",
        /// Wait until the relay works again.
        WaitForRelay = "wait_for_relay",
        /// It is tried again automatically.
        WaitForRetry = "wait_for_retry",
        /// Ask for the current address and correct it.
        CorrectAddress = "correct_address",
        /// The mail provider has the address on its own list and did not try: look there why, and take it off if it is good.
        ProviderList = "provider_list",
        /// Ask the recipient's office how to reach them.
        AskRecipient = "ask_recipient",
        /// Shorten the letter, or send it by fax.
        ShortenLetter = "shorten_letter",
        /// Change what the letter says or links to.
        ChangeContent = "change_content",
        /// Read the server's words.
        ReadReply = "read_reply",
    }
}
