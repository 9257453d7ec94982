//! `kubectl port-forward`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;

use crate::fixture::{Fixture, script};

/// A server that answers each connection with what it got, backwards, once it has got everything.
fn backwards() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&socket);
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let answer: String = line.trim_end().chars().rev().collect();
                (&socket).write_all(answer.as_bytes()).unwrap();
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_reach_the_port_of_the_pod() {
    let fixture = Fixture::start().await;
    fixture.pod("web", script("sleep 300")).await;
    let target = backwards();
    for way in ["true", "false"] {
        let mut command = fixture.command(&["port-forward", "web", &format!(":{target}")]);
        command
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", way)
            .stdout(Stdio::piped());
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            let port = line
                .split_once("127.0.0.1:")
                .and_then(|(_, rest)| rest.split(' ').next());
            let port: u16 = port.unwrap().parse().unwrap();
            for round in 0..3 {
                let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let text = format!("{round}{}", "abc".repeat(40_000));
                socket.write_all(format!("{text}\n").as_bytes()).unwrap();
                let mut answer = String::new();
                socket.read_to_string(&mut answer).unwrap();
                assert!(
                    answer.chars().rev().collect::<String>() == text,
                    "{way}, {round}"
                );
                drop(socket.shutdown(Shutdown::Both));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        })
        .await
        .unwrap();
    }
    fixture.stop().await;
}
