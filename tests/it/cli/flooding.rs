//! Large bodies from strangers, sent to the real program, so that its memory is its own: it stays bounded, is given back,
//! and whoever needs the service gets it meanwhile.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::house::House;
use super::served::{Served, WEBHOOK_SECRET};
use crate::support::PATIENCE;
use crate::web::target::{TURN, Target, attacker, heard, post};

/// What each body holds: as much as a callback may.
const BODY: usize = 4 * 1024 * 1024;
const BODIES: usize = 300;
/// What the program may take beyond what it took before: while the bodies come, and when they have gone.
const MORE_KIB: u64 = 300 * 1024;
const LEFT_KIB: u64 = 64 * 1024;
const LIST: &str = "first_name,last_name,type,email\nAna,Roth,therapist,roth@office.example\n";

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_large_bodies_take_bounded_memory_and_give_it_back() {
    let _turn = TURN.lock().await;
    let house = House::empty();
    house.write("list.csv", LIST);
    let served = Served::start(house, "error", |config| config).await;
    served.run(&["referrers", "import", "list.csv"]).await.good();
    let token = served.token("read").await;
    let target = Target { address: served.address, token, webhook_secret: WEBHOOK_SECRET.to_owned() };
    sends(&served, 1).await;
    target.goes_on().await;
    let before = served.memory_kib("VmRSS");

    let body: Arc<str> = "x".repeat(BODY).into();
    for (path, mails) in [("/hooks/nobody", 2), ("/hooks/fax-sandbox", 3)] {
        let flood: Vec<_> =
            (0..BODIES).map(|number| tokio::spawn(pour(target.clone(), number, path, body.clone()))).collect();
        target.goes_on().await;
        sends(&served, mails).await;
        for one in flood {
            let status = one.await.expect("no panic");
            // Who is refused before the body was read may find the connection closed while still sending.
            assert!(matches!(status, None | Some(401 | 404 | 408 | 503)), "{path}: {status:?}");
        }
        target.goes_on().await;
    }
    let most = served.memory_kib("VmHWM");
    assert!(most < before + MORE_KIB, "it took {most} KiB at most, {before} KiB before");
    served
        .until("the memory is given back", async || {
            target.goes_on().await;
            served.memory_kib("VmRSS") < before + LEFT_KIB
        })
        .await;
    println!("KiB before, at most, after: {before}, {most}, {}", served.memory_kib("VmRSS"));
    served.stop().await;
}

/// That one more letter leaves, of so many.
async fn sends(served: &Served, mails: usize) {
    served.run(&["send", "introduction", "--to=Roth", "--via=email", "--again"]).await.good();
    served.until("the letter leaves", async || served.catcher.messages().len() >= mails).await;
}

/// One body, whole, and what is answered.
async fn pour(target: Target, number: usize, path: &str, body: Arc<str>) -> Option<u16> {
    let mut stream = target.begin(attacker(number, 10), &post(path, "", body.len(), "")).await.ok()?;
    // Who is refused meanwhile cannot write it to its end.
    drop(timeout(PATIENCE, stream.write_all(body.as_bytes())).await.expect("written or refused, in time"));
    heard(&mut stream).await
}
