//! What is left when something goes wrong: a power cut, a full disk, a killed supervisor, too few files.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sampan_container::{ContainerId, ContainerState, DnsConfig, Error, ExecSpec, Exit, Network};

use crate::site::Site;

/// Runs a test on a thread that can mount what nobody else sees.
fn in_own_mounts(test: impl FnOnce() + Send + 'static) {
    let worker = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let flags = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).unwrap();
        test();
    });
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}

fn mount_memory(target: &Path, options: &str) {
    std::fs::create_dir_all(target).unwrap();
    mount(
        Some("tmpfs"),
        target,
        Some("tmpfs"),
        MsFlags::empty(),
        Some(options),
    )
    .unwrap();
}

fn folder(site: &Site, id: &ContainerId) -> PathBuf {
    site.runtime.data().join("containers").join(id.as_str())
}

fn cgroup(id: &ContainerId) -> PathBuf {
    Path::new("/sys/fs/cgroup/pids/sampan").join(id.as_str())
}

fn supervisor(site: &Site, id: &ContainerId) -> i32 {
    let ContainerState::Running { pid } = site.runtime.status(id).unwrap().state else {
        panic!("not running");
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.unwrap().trim().parse().unwrap()
}

/// Kills the supervisor of a running container, and waits until the kernel has taken its lock back.
fn kill_supervisor(site: &Site, id: &ContainerId) {
    kill(Pid::from_raw(supervisor(site, id)), Signal::SIGKILL).unwrap();
    File::open(folder(site, id).join("lock"))
        .unwrap()
        .lock_shared()
        .unwrap();
}

#[test]
fn a_description_that_a_power_cut_has_damaged_is_that_of_a_container_that_is_gone() {
    let site = Site::new();
    let kept = site.runtime.create(&site.spec(&["true"])).unwrap();
    for damage in [
        |path: &Path| std::fs::write(path, []),
        |path: &Path| std::fs::remove_file(path),
    ] {
        let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
        site.runtime.start(&id).unwrap();
        kill_supervisor(&site, &id);
        damage(&folder(&site, &id).join("spec.json")).unwrap();
        assert!(cgroup(&id).exists());
        let listed = site.runtime.list().unwrap();
        assert_eq!(
            listed.iter().map(|status| &status.id).collect::<Vec<_>>(),
            [&kept]
        );
        assert!(!folder(&site, &id).exists());
        assert!(!cgroup(&id).exists());
        assert!(matches!(
            site.runtime.remove(&id, true),
            Err(Error::NoContainer(_))
        ));
    }
}

#[test]
fn a_container_whose_supervisor_was_killed_in_its_last_moments_leaves_nothing() {
    for auto_remove in [false, true] {
        let site = Site::new();
        let mut spec = site.spec(&["sleep", "100"]);
        spec.auto_remove = auto_remove;
        let id = site.runtime.create(&spec).unwrap();
        site.runtime.start(&id).unwrap();
        kill_supervisor(&site, &id);
        let exit = Exit {
            code: 3,
            signal: None,
            oom_killed: false,
            finished_at: sampan_supervise::clock::now(),
            reason: None,
        };
        let text = serde_json::to_vec(&exit).unwrap();
        std::fs::write(folder(&site, &id).join("exit.json"), text).unwrap();
        assert!(cgroup(&id).exists());
        assert_eq!(
            site.runtime.status(&id).unwrap().state,
            ContainerState::Exited(exit)
        );
        assert_eq!(folder(&site, &id).exists(), !auto_remove);
        if !auto_remove {
            site.runtime.remove(&id, false).unwrap();
        }
        assert!(!cgroup(&id).exists());
    }
}

#[test]
fn one_whose_supervisor_does_not_listen_yet_is_removed_when_it_does() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
    let socket = folder(&site, &id).join("shim.sock");
    let away = socket.with_extension("away");
    std::fs::rename(&socket, &away).unwrap();
    let (tell, removed) = channel();
    let runtime = site.runtime.clone();
    std::thread::spawn(move || tell.send(runtime.remove(&id, true)));
    let pause = Duration::from_millis(200);
    assert!(removed.recv_timeout(pause).is_err(), "nobody has ended it");
    std::fs::rename(&away, &socket).unwrap();
    let limit = Duration::from_secs(20);
    removed.recv_timeout(limit).expect("it ends").unwrap();
    assert!(site.runtime.list().unwrap().is_empty());
}

#[test]
fn on_a_full_disk_containers_are_listed_and_removed_and_not_started() {
    in_own_mounts(|| {
        let site = Site::new();
        let data = site.runtime.data().to_owned();
        mount_memory(&data, "size=4m");
        let ended = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
        site.runtime.start(&ended).unwrap();
        let waiting = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
        let filler = data.join("filler");
        let mut file = File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}

        kill_supervisor(&site, &ended);
        assert_eq!(site.runtime.list().unwrap().len(), 2);
        assert!(matches!(
            site.runtime.start(&waiting),
            Err(Error::Create(_))
        ));
        assert_eq!(
            site.runtime.status(&waiting).unwrap().state,
            ContainerState::Created
        );
        site.runtime.remove(&ended, false).unwrap();

        std::fs::remove_file(&filler).unwrap();
        drop(file);
        site.runtime.start(&waiting).unwrap();
        let state = site.runtime.status(&waiting).unwrap().state;
        assert!(matches!(state, ContainerState::Running { .. }), "{state:?}");
        site.runtime.remove(&waiting, true).unwrap();
        umount2(&data, MntFlags::MNT_DETACH).unwrap();
    });
}

fn limit_files(pid: i32, limit: &str) {
    let done = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--nofile={limit}:")])
        .status();
    assert!(done.unwrap().success());
}

#[test]
fn a_client_that_cannot_be_served_does_not_end_the_container() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
    site.runtime.start(&id).unwrap();
    let pid = supervisor(&site, &id);
    let command = ExecSpec {
        args: vec!["true".to_owned()],
        ..ExecSpec::default()
    };
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .count();
    // The client itself, and what it sends in part only; then not even the client.
    limit_files(pid, &(open + 2).to_string());
    let refused = site.runtime.exec(&id, &command);
    assert!(matches!(refused, Err(Error::Exec(_))), "{refused:?}");
    limit_files(pid, &open.to_string());
    let (runtime, late) = (site.runtime.clone(), id.clone());
    let late = std::thread::spawn(move || runtime.kill(&late, sampan_container::Signal::TERM));
    limit_files(pid, "1024");
    late.join().unwrap().unwrap();
    let exit = site.runtime.exec(&id, &command).unwrap().wait_blocking();
    assert_eq!(exit.unwrap().code, 0);
}

#[test]
fn first_commands_do_not_get_into_each_others_way() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
    site.runtime.start(&id).unwrap();
    let command = ExecSpec {
        args: vec!["true".to_owned()],
        ..ExecSpec::default()
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let exit = site.runtime.exec(&id, &command).unwrap().wait_blocking();
                assert_eq!(exit.unwrap().code, 0);
            });
        }
    });
}

#[test]
fn a_name_goes_to_one_of_those_who_want_it() {
    let site = Site::new();
    let mut spec = site.spec(&["true"]);
    spec.name = Some("web".to_owned());
    let made: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| site.runtime.create(&spec)))
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    let [Ok(id)] = won.as_slice() else {
        panic!("{won:?}")
    };
    assert!(
        lost.iter()
            .all(|lost| matches!(lost, Err(Error::NameTaken { .. }))),
        "{lost:?}"
    );
    assert_eq!(site.runtime.find("web").unwrap(), *id);
    let left = std::fs::read_dir(site.runtime.data().join("containers"))
        .unwrap()
        .count();
    // The container and the folder of names.
    assert_eq!(left, 2);
}

#[test]
fn resolvers_behind_the_hosts_own_one_are_asked() {
    in_own_mounts(|| {
        let site = Site::new();
        let stub = site.folder.path().join("stub");
        std::fs::write(&stub, "nameserver 127.0.0.53\noptions edns0\n").unwrap();
        mount(
            Some(&stub),
            "/etc/resolv.conf",
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .unwrap();
        mount_memory(Path::new("/run"), "size=1m");
        std::fs::create_dir_all("/run/systemd/resolve").unwrap();
        std::fs::write(
            "/run/systemd/resolve/resolv.conf",
            "nameserver 192.0.2.1\nsearch lan\n",
        )
        .unwrap();
        let mut spec = site.spec(&["cat", "/etc/resolv.conf"]);
        spec.network = Network::None;
        assert_eq!(site.run(&spec).0, "nameserver 192.0.2.1\nsearch lan\n");
        spec.dns = Some(DnsConfig {
            search: vec!["shop".to_owned()],
            host_servers: true,
            ..DnsConfig::default()
        });
        assert_eq!(site.run(&spec).0, "nameserver 192.0.2.1\nsearch shop\n");
        spec.network = Network::Host;
        assert_eq!(site.run(&spec).0, "nameserver 127.0.0.53\nsearch shop\n");
    });
}
