//! A command on a terminal, as people sit before one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::eventually;

/// How long a program may take to say what is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running command whose three streams are a terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts the command.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let OpenptyResult { master, slave } = openpty(None, None).expect("a terminal");
        let own = || slave.try_clone().expect("a terminal can be shared");
        let child = command
            .stdin(own())
            .stdout(own())
            .stderr(own())
            .spawn()
            .expect("the command starts");
        // The command holds on to streams as well.
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let keyboard = File::from(master);
        let mut shown = keyboard.try_clone().expect("a terminal can be shared");
        let screen = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&screen);
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            // It ends with an error when nobody has the other side any more.
            while let Ok(count @ 1..) = shown.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]);
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.push_str(&text);
            }
        });
        Self {
            child,
            keyboard,
            screen,
            reading: Some(reading),
        }
    }

    /// What was shown so far.
    #[must_use]
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.clone()
    }

    /// Waits for the text.
    pub fn wait_for(&self, text: &str) {
        eventually(text, PATIENCE, || {
            self.screen().contains(text).then_some(())
        });
    }

    /// Waits for the text, and until the terminal does not show what is typed.
    pub fn wait_for_secret(&self, text: &str) {
        self.wait_for(text);
        eventually("what is typed not to be shown", PATIENCE, || {
            let flags = tcgetattr(&self.keyboard).expect("a terminal").local_flags;
            (!flags.contains(LocalFlags::ECHO)).then_some(())
        });
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("somebody reads the terminal");
    }

    /// Waits for the end of the command; gives its exit code and all that was shown.
    #[must_use]
    pub fn finish(mut self) -> (Option<i32>, String) {
        let ended = eventually("the command to end", PATIENCE, || {
            self.child
                .try_wait()
                .expect("the command can be waited for")
        });
        if let Some(reading) = self.reading.take() {
            reading.join().expect("the screen is read");
        }
        (ended.code(), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After `finish` it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
