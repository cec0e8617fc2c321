//! What a mail server's reply means, and another chance for addresses that count as dead.

use sqlx::{Connection, SqliteConnection};

use super::house::House;

#[test]
fn a_reply_is_explained_with_its_row_without_any_configuration() {
    let house = House::empty();
    let told = house.ask(&["explain-reply", "550 5.4.5 Daily user sending limit exceeded", "--phase", "rcpt"]);
    assert_eq!((told["about"].as_str(), told["fault"].as_str()), (Some("speed"), Some("quota_reached")), "{told}");
    assert_eq!((&told["proves_mailbox"], &told["pause_seconds"]), (&false.into(), &14_400.into()));
    assert!(told["row"]["source"].as_str().is_some_and(|source| source.contains("Google")), "{told}");
    assert!(told["remedy_words"].as_str().is_some_and(|words| words.contains("quota")), "{told}");

    let unknown =
        house.ask(&["explain-reply", "550-5.1.1 The email account that you tried to reach\\n550 5.1.1 does not exist"]);
    assert_eq!((unknown["about"].as_str(), &unknown["proves_mailbox"]), (Some("recipient"), &true.into()), "{unknown}");

    let text =
        house.run(&["explain-reply", "535 5.7.139 basic authentication is disabled", "--phase", "auth"]).good().out;
    assert!(text.contains("oauth = \"microsoft\"") && text.contains("row: source"), "{text}");
    let bounce = house.ask(&["explain-reply", "5.1.1 no such user", "--phase", "bounce"]);
    assert_eq!((bounce["phase"].as_str(), bounce["fault"].as_str()), (Some("bounce"), Some("mailbox_unknown")));
}

#[test]
fn what_is_no_refusal_is_not_explained() {
    let house = House::empty();
    for reply in ["hello", "250 ok", "", "2.0.0 done", "99 x"] {
        let answer = house.run(&["explain-reply", reply]);
        assert_eq!(answer.code, 5, "{reply}: {answer:?}");
    }
    assert_eq!(house.run(&["explain-reply", "550 no", "--phase", "later"]).code, 2);
}

/// Marks the email addresses of the sample list as dead, as bounces did.
async fn kill_all(house: &House) -> i64 {
    let url = format!("sqlite:{}", house.path("touchline.db").display());
    let mut database = SqliteConnection::connect(&url).await.expect("the database");
    let dead = "INSERT INTO address (channel, value, health, strikes, fault, updated_ms)
        SELECT 'email', email_key, 'dead', 1, 'mailbox_unknown', 1795000000000 FROM referrer WHERE email_key IS NOT NULL
        GROUP BY email_key ON CONFLICT (channel, value) DO UPDATE SET health = 'dead', fault = 'mailbox_unknown'";
    let done = sqlx::query(dead).execute(&mut database).await.expect("written");
    i64::try_from(done.rows_affected()).expect("few")
}

#[test]
fn dead_addresses_get_another_chance_one_by_one_or_by_cause_and_time_after_a_count() {
    let house = House::with_referrers();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dead = runtime.block_on(kill_all(&house));
    assert!(dead > 2, "{dead}");
    let listed = house.ask(&["address", "list"]);
    let addresses = listed["addresses"].as_array().expect("a list").clone();
    assert_eq!(i64::try_from(addresses.len()).expect("few"), dead, "{listed}");

    let one = addresses[0]["address"].as_str().expect("an address");
    house.run(&["address", "revive", one]).good();
    let again = house.run(&["address", "revive", one]);
    assert_eq!((again.code, again.err.contains("nothing is held")), (5, true), "{again:?}");

    let counted = house.ask(&["address", "revive", "--cause", "mailbox_unknown"]);
    assert_eq!((&counted["dry_run"], &counted["addresses"]), (&true.into(), &(dead - 1).into()), "{counted}");
    assert_eq!(house.ask(&["address", "revive", "--cause", "domain_unknown", "--yes"])["addresses"], 0);
    assert_eq!(house.ask(&["address", "revive", "--since", "2027-01-01", "--yes"])["addresses"], 0);
    assert_eq!(house.ask(&["address", "list"])["addresses"].as_array().map(Vec::len), usize::try_from(dead - 1).ok());

    let done = house.ask(&["address", "revive", "--cause", "mailbox-unknown", "--until", "2030-01-01", "--yes"]);
    assert_eq!((&done["dry_run"], &done["addresses"]), (&false.into(), &(dead - 1).into()), "{done}");
    assert_eq!(house.ask(&["address", "list"])["addresses"].as_array().map(Vec::len), Some(0));
    assert_eq!(house.run(&["address", "revive"]).code, 2, "which ones must be said");
}

#[test]
fn an_address_that_is_entered_anew_is_tried_again_though_it_is_the_same() {
    let house = House::with_referrers();
    house.write("one.csv", "first_name,last_name,email\nAna,Reentered,ana@reentered.example\n");
    house.run(&["referrers", "import", "one.csv"]).good();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let is_dead = |house: &House| house.ask(&["address", "list"]).to_string().contains("ana@reentered.example");
    runtime.block_on(kill_all(&house));
    assert!(is_dead(&house));
    house.run(&["referrers", "import", "one.csv"]).good();
    assert!(is_dead(&house), "a list that repeats it says nothing new");
    house.run(&["referrers", "edit", "Ana Reentered", "--email", "ana@reentered.example"]).good();
    assert!(!is_dead(&house));
}
