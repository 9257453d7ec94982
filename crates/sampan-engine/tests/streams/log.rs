//! `kubectl logs`.

use crate::fixture::{Fixture, finish, script};

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_in_part_and_followed() {
    let fixture = Fixture::start().await;
    // The pauses keep the order of lines that come through different pipes.
    let text = "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three; sleep 2; echo four; \
                sleep 300";
    let id = fixture.pod("web", script(text)).await;
    let followed = {
        let fixture_command = fixture.command(&["logs", "-f", "web"]);
        tokio::spawn(finish(fixture_command))
    };
    tokio::task::spawn_blocking({
        let (runtime, id) = (fixture.runtime.clone(), id.clone());
        move || {
            // The last line is written two seconds after the start.
            let path = runtime.log_path(&id);
            for _ in 0..100 {
                if std::fs::read_to_string(&path).is_ok_and(|log| log.contains("four")) {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            panic!("the last line does not come");
        }
    })
    .await
    .unwrap();
    assert_eq!(
        fixture.kubectl(&["logs", "web"]).await,
        "one\ntwo\nthree\nfour\n"
    );
    assert_eq!(
        fixture.kubectl(&["logs", "web", "--tail=2"]).await,
        "three\nfour\n"
    );
    assert_eq!(
        fixture.kubectl(&["logs", "web", "--limit-bytes=5"]).await,
        "one\nt"
    );
    assert_eq!(
        fixture
            .kubectl(&["logs", "web", "--since=1h", "-c", "main"])
            .await
            .lines()
            .count(),
        4
    );
    let stamped = fixture
        .kubectl(&["logs", "web", "--timestamps", "--tail=1"])
        .await;
    let (time, line) = stamped.split_once(' ').unwrap();
    assert_eq!(line, "four\n");
    assert_eq!(time.len(), "2026-01-01T00:00:00.000000000Z".len(), "{time}");
    let refused = fixture.output(&["logs", "web", "--previous"]).await;
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        errors.contains("previous terminated container \"main\" in pod \"web\" not found"),
        "{errors}"
    );
    fixture.runtime.remove(&id, true).unwrap();
    let followed = followed.await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&followed.stdout),
        "one\ntwo\nthree\nfour\n"
    );
    fixture.stop().await;
}
