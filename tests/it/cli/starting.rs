//! What `serve` looks at before anybody can connect.

use std::net::TcpListener;

use sqlx::{Connection, Executor, SqliteConnection};

use super::house::House;

/// Runs `serve` at an address that is taken: what it says of the database, it says before it tries to listen.
fn serve(house: &House) -> (i32, String) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let answer = house.run(&["serve", "--listen", &address]);
    (answer.code, answer.err)
}

#[tokio::test]
async fn a_database_that_is_not_whole_is_refused_before_the_gateway_listens() {
    let house = House::with_referrers();
    assert_eq!(serve(&house).0, 1, "the address is all that is wrong");

    let url = format!("sqlite:{}", house.path("touchline.db").display());
    let mut connection = SqliteConnection::connect(&url).await.expect("connected");
    connection.execute("ALTER TABLE session DROP COLUMN seen_ms").await.expect("done");
    connection.close().await.expect("closed");
    let (code, words) = serve(&house);
    assert_eq!((code, words.contains("session.seen_ms"), words.contains("backup")), (6, true, true), "{words}");
    let doctor = house.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("session.seen_ms"), "{doctor:?}");

    let path = house.path("touchline.db");
    let mut octets = std::fs::read(&path).expect("read");
    octets[..100].fill(0);
    std::fs::write(&path, octets).expect("written");
    let (code, words) = serve(&house);
    assert_eq!(code, 6, "{words}");
}

#[test]
fn a_database_file_that_is_there_and_empty_is_refused_and_left_as_it_is() {
    let house = House::with_referrers();
    let path = house.path("touchline.db");
    house.run(&["backup", "copy.db"]).good();
    std::fs::write(&path, "").expect("emptied");
    let (code, words) = serve(&house);
    assert_eq!(
        (code, words.contains("there and empty"), words.contains("touchline restore")),
        (6, true, true),
        "{words}"
    );
    let doctor = house.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("there and empty"), "{doctor:?}");
    assert_eq!(std::fs::metadata(&path).expect("there").len(), 0, "nothing was written to it");
    house.run(&["restore", "copy.db", "--replace"]).good();
    assert_eq!(serve(&house).0, 1, "the address is all that is wrong");
    std::fs::remove_file(&path).expect("deleted");
    assert_eq!(serve(&house).0, 1, "the address is all that is wrong");
}
