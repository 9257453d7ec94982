//! The supervisor's loop: copies output, answers clients, and notices when processes end.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};
use sampan_supervise::clock;

use super::client::{Attached, Client, Role, Sink};
use super::creation::{self, Ready};
use super::log::{Log, Output};
use super::{Stdio, command, ending};
use crate::Exit;
use crate::connection::{Connection, Listener, Message, Reply, Request};
use crate::directory::Directory;
use crate::executor::{fork, leave};
use crate::memory;
use crate::terminal::Size;

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How long output is awaited after the first process has ended: something outside of the container may hold
/// the other end of a pipe.
const DRAIN_MILLIS: u16 = 500;

/// How long after starting, or after a request, memory is given back.
const SETTLE_MILLIS: u16 = 1000;

pub(super) struct Supervisor {
    directory: Directory,
    init: Pid,
    ended: Option<(i32, Option<i32>)>,
    /// Standard input of the first process; with a terminal, its controlling side.
    input: Sink,
    /// Outputs of the first process; with a terminal, its controlling side is the first.
    outputs: [Option<OwnedFd>; 2],
    terminal: bool,
    pub(super) stdin_once: bool,
    listener: Listener,
    signals: SignalFd,
    log: Log,
    clients: Vec<Client>,
    /// False for a while after a client could not be accepted, mostly for want of files.
    accepting: bool,
    /// When something was done that takes memory, until that was given back.
    unsettled_since: Option<Instant>,
    /// Children that ended before the process that started them said whose they are.
    unclaimed: Vec<(Pid, i32, Option<i32>)>,
}

/// What a file that became ready belongs to.
#[derive(Clone, Copy)]
enum Event {
    Signals,
    Listener,
    Output(Output),
    Input,
    Request(usize),
    Answer(usize),
    ClientInput(usize),
    ClientOutput(usize, Output),
}

/// Turns the signals that matter into something that can be waited for, and shuts out those that would end the
/// supervisor before its container.
pub(super) fn block_signals() -> io::Result<SignalFd> {
    let mut mask = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ] {
        mask.add(signal);
    }
    mask.thread_block()?;
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    Ok(SignalFd::with_flags(
        &children,
        SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
    )?)
}

impl Supervisor {
    pub(super) fn new(
        directory: Directory,
        ready: Ready,
        io: Stdio,
        listener: Listener,
        signals: SignalFd,
        log: Log,
    ) -> io::Result<Self> {
        let terminal = ready.terminal.is_some();
        let copy = ready
            .terminal
            .as_ref()
            .map(OwnedFd::try_clone)
            .transpose()?;
        Ok(Self {
            directory,
            init: ready.pid,
            ended: None,
            input: Sink::new(io.input.or(copy))?,
            outputs: [io.output.or(ready.terminal), io.errors],
            terminal,
            stdin_once: false,
            listener,
            signals,
            log,
            clients: Vec::new(),
            accepting: true,
            unsettled_since: Some(Instant::now()),
            unclaimed: Vec::new(),
        })
    }

    /// Runs until the container has ended and everybody has been told. The port proxy lives as long as
    /// `lifeline` is open.
    pub(super) fn run(mut self, lifeline: Connection) -> io::Result<()> {
        self.reap()?;
        while self.ended.is_none() || self.outputs.iter().any(Option::is_some) {
            let timeout = match (&self.ended, self.unsettled_since) {
                (Some(_), _) => PollTimeout::from(DRAIN_MILLIS),
                (None, None) => PollTimeout::NONE,
                (None, Some(_)) => PollTimeout::from(SETTLE_MILLIS),
            };
            let quiet = !self.turn(timeout)?;
            if quiet && self.ended.is_some() {
                self.outputs = [None, None];
            }
            self.settle();
        }
        for output in Output::BOTH {
            if let Err(error) = self.log.end(output) {
                tracing::warn!(%error, "cannot write the log");
            }
        }
        drop(lifeline);
        while let Ok(_) | Err(nix::Error::EINTR) = waitpid(None, None) {}
        let (code, signal) = self.ended.unwrap_or_default();
        let exit = Exit {
            code,
            signal,
            oom_killed: false,
            finished_at: clock::now(),
            reason: None,
        };
        let exit = ending::finish(&self.directory, exit);
        self.dismiss(&exit)
    }

    /// Gives memory back some time after something unusual was done.
    fn settle(&mut self) {
        let due = |since: Instant| since.elapsed().as_millis() >= SETTLE_MILLIS.into();
        if self.unsettled_since.is_some_and(due) {
            self.unsettled_since = None;
            self.accepting = true;
            if let Err(error) = memory::give_back() {
                tracing::debug!(%error, "cannot give memory back");
            }
        }
    }

    /// Waits for something to happen and sees to it. False when nothing did.
    fn turn(&mut self, timeout: PollTimeout) -> io::Result<bool> {
        let interests = self.interests();
        let mut files: Vec<PollFd<'_>> = interests
            .iter()
            .map(|(_, file, flags)| PollFd::new(*file, *flags))
            .collect();
        match poll(&mut files, timeout) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(nix::Error::EINTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<Event> = interests
            .iter()
            .zip(&files)
            .filter(|(_, file)| file.any().unwrap_or(false))
            .map(|((event, ..), _)| *event)
            .collect();
        for event in ready {
            self.handle(event)?;
        }
        let connected = self.clients.len();
        self.clients.retain(|client| client.open);
        self.accepting |= self.clients.len() < connected;
        if !self
            .clients
            .iter()
            .any(|client| matches!(client.role, Role::Starting(_)))
        {
            self.unclaimed.clear();
        }
        Ok(true)
    }

    /// The files that matter now. While an attachment takes its output slowly, no more is read, so that the
    /// container waits for it as it would for a pipe; an ended container waits for nobody.
    fn interests(&self) -> Vec<(Event, BorrowedFd<'_>, PollFlags)> {
        let mut interests = vec![(Event::Signals, self.signals.as_fd(), PollFlags::POLLIN)];
        if self.accepting {
            interests.push((Event::Listener, self.listener.as_fd(), PollFlags::POLLIN));
        }
        let attached = || self.clients.iter().filter_map(|client| client.attached());
        if self.ended.is_some() || !attached().any(Attached::has_pending) {
            for output in Output::BOTH {
                if let Some(file) = &self.outputs[output.index()] {
                    interests.push((Event::Output(output), file.as_fd(), PollFlags::POLLIN));
                }
            }
        }
        if let Some(file) = self.input.wanted() {
            interests.push((Event::Input, file, PollFlags::POLLOUT));
        }
        for (place, client) in self.clients.iter().enumerate() {
            let connection = client.connection.as_fd();
            interests.push((Event::Request(place), connection, PollFlags::POLLIN));
            match &client.role {
                Role::Starting(child) => {
                    interests.push((Event::Answer(place), child.as_fd(), PollFlags::POLLIN));
                }
                Role::Attached(attached) => {
                    if let Some(file) = &attached.input
                        && !self.input.is_pending()
                    {
                        let event = Event::ClientInput(place);
                        interests.push((event, file.as_fd(), PollFlags::POLLIN));
                    }
                    for output in Output::BOTH {
                        if let Some(file) = attached.outputs[output.index()].wanted() {
                            let event = Event::ClientOutput(place, output);
                            interests.push((event, file, PollFlags::POLLOUT));
                        }
                    }
                }
                Role::Idle | Role::Waiting | Role::Running(_) => {}
            }
        }
        interests
    }

    /// Sees to one event. What goes wrong with a client ends that client only: the container lives as long as
    /// the supervisor.
    fn handle(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Signals => {
                while self.signals.read_signal()?.is_some() {}
                self.reap()?;
            }
            Event::Listener => self.accept(),
            Event::Output(output) => self.copy_output(output),
            Event::Input => self.input.flush(),
            Event::Request(place) => {
                let served = self.serve(place);
                self.give_up_on_failure(place, served);
            }
            Event::Answer(place) => {
                let claimed = self.claim(place);
                self.give_up_on_failure(place, claimed);
            }
            Event::ClientInput(place) => self.copy_input(place),
            Event::ClientOutput(place, output) => {
                if let Role::Attached(attached) = &mut self.clients[place].role {
                    attached.outputs[output.index()].flush();
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) {
        match self.listener.accept() {
            Ok(Some(connection)) => self.clients.push(Client {
                connection,
                role: Role::Idle,
                open: true,
            }),
            Ok(None) => return,
            Err(error) => {
                // Until another client has gone, or some time has passed.
                tracing::warn!(%error, "cannot accept a client");
                self.accepting = false;
            }
        }
        self.unsettled_since = Some(Instant::now());
    }

    /// Ends a client with which something went wrong, and tells it if it is there to be told.
    fn give_up_on_failure(&mut self, place: usize, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, "cannot serve a client");
            let client = &mut self.clients[place];
            client.reply(&Reply::Failed(format!(
                "the supervisor cannot serve: {error}"
            )));
            client.open = false;
        }
    }

    /// Takes note of all children that have ended.
    fn reap(&mut self) -> io::Result<()> {
        loop {
            let (pid, code, signal) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code, None),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    (pid, 128 + signal as i32, Some(signal as i32))
                }
                Ok(WaitStatus::StillAlive) | Err(nix::Error::ECHILD) => return Ok(()),
                Ok(_) | Err(nix::Error::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if pid == self.init {
                self.ended = Some((code, signal));
                continue;
            }
            let runs =
                |client: &&mut Client| matches!(client.role, Role::Running(own) if own == pid);
            match self.clients.iter_mut().find(runs) {
                Some(client) => client.tell_end(code, signal),
                None => self.unclaimed.push((pid, code, signal)),
            }
        }
    }

    fn copy_output(&mut self, output: Output) {
        let Some(file) = &self.outputs[output.index()] else {
            return;
        };
        let mut chunk = [0; CHUNK_BYTES];
        let length = match nix::unistd::read(file, &mut chunk) {
            Ok(length) => length,
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => return,
            // A terminal without a process on the other side answers with an error.
            Err(_) => 0,
        };
        let bytes = &chunk[..length];
        let logged = if length == 0 {
            self.outputs[output.index()] = None;
            self.log.end(output)
        } else {
            self.log.write(output, bytes)
        };
        if let Err(error) = logged {
            // A full disk must not stop the container.
            tracing::warn!(%error, "cannot write the log");
        }
        for client in &mut self.clients {
            if let Role::Attached(attached) = &mut client.role {
                attached.outputs[output.index()].write(bytes);
            }
        }
    }

    fn copy_input(&mut self, place: usize) {
        let Role::Attached(attached) = &mut self.clients[place].role else {
            return;
        };
        let Some(file) = &attached.input else { return };
        let mut chunk = [0; CHUNK_BYTES];
        match nix::unistd::read(file, &mut chunk) {
            Ok(0) => {
                attached.input = None;
                if self.stdin_once && !self.terminal {
                    self.input.close();
                }
            }
            Ok(length) => self.input.write(&chunk[..length]),
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => {}
            Err(_) => attached.input = None,
        }
        if !self.input.is_open() {
            attached.input = None;
        }
    }

    /// Answers a client, or forgets one that is gone.
    fn serve(&mut self, place: usize) -> io::Result<()> {
        let client = &mut self.clients[place];
        let message = client.connection.receive()?;
        let Some(Message { bytes, files }) = message else {
            client.open = false;
            return Ok(());
        };
        let Some((request, payload)) = bytes
            .split_first()
            .and_then(|(code, rest)| Some((Request::parse(*code)?, rest)))
        else {
            client.open = false;
            return Ok(());
        };
        match request {
            Request::Start => {
                let reply = self.start();
                self.clients[place].reply(&reply);
            }
            Request::Kill => {
                let reply = self.kill(payload);
                self.clients[place].reply(&reply);
            }
            Request::Wait => client.role = Role::Waiting,
            Request::Attach => {
                let mut attached = Attached::new(files, self.terminal)?;
                if !self.input.is_open() {
                    attached.input = None;
                }
                client.role = Role::Attached(attached);
                client.reply(&Reply::Done);
            }
            Request::Resize => self.resize(payload),
            Request::Exec => return self.execute(place, payload, files),
            Request::ExecKill => {
                if let (Role::Running(pid), Some(signal)) = (&client.role, signal_of(payload))
                    && let Err(error) = signal.send_to_command(*pid)
                {
                    tracing::debug!(%error, "the command has ended");
                }
            }
        }
        Ok(())
    }

    /// Lets the first process become its program. That it was started is written first: a container that runs
    /// without it would count as one that waits.
    fn start(&self) -> Reply {
        let id = self.directory.path().file_name().unwrap_or_default();
        // Relative to the current directory, the container's: the path of a socket is short.
        let socket = Path::new("oci").join(id).join("notify.sock");
        let started = Path::new("started");
        if started.exists() || !socket.exists() {
            return Reply::Failed("the container was started before".to_owned());
        }
        let told = std::fs::write(started, format!("{:.9}", clock::now()))
            .and_then(|()| UnixStream::connect(&socket))
            .and_then(|mut stream| stream.write_all(b"start container"));
        if let Err(error) = told {
            if let Err(error) = std::fs::remove_file(started) {
                tracing::warn!(%error, "cannot take back that the container was started");
            }
            return Reply::Failed(format!("it cannot be started: {error}"));
        }
        if let Err(error) = std::fs::remove_file(&socket) {
            tracing::warn!(%error, "cannot remove the socket that starts the container");
        }
        Reply::Done
    }

    fn kill(&self, payload: &[u8]) -> Reply {
        let Some(signal) = signal_of(payload) else {
            return Reply::Failed("no such signal".to_owned());
        };
        if self.ended.is_some() {
            return Reply::NotRunning;
        }
        match signal.send(self.init) {
            Ok(()) => Reply::Done,
            Err(error) => Reply::Failed(error.to_string()),
        }
    }

    fn resize(&self, payload: &[u8]) {
        if let (Some(terminal), Some(size)) = (self.input.file(), Size::from_bytes(payload))
            && self.terminal
            && let Err(error) = size.set(terminal)
        {
            tracing::debug!(%error, "cannot resize the terminal");
        }
    }

    /// Starts a command in a child.
    fn execute(&mut self, place: usize, payload: &[u8], files: Vec<OwnedFd>) -> io::Result<()> {
        let client = &mut self.clients[place];
        if self.ended.is_some() {
            client.reply(&Reply::NotRunning);
            return Ok(());
        }
        let (own, childs) = Connection::pair()?;
        if let ForkResult::Child = fork()? {
            drop(own);
            command::run(&self.directory, payload, files, &childs);
            leave(0)
        }
        client.role = Role::Starting(own);
        Ok(())
    }

    /// Learns which process is a client's command, and tells the client.
    fn claim(&mut self, place: usize) -> io::Result<()> {
        let client = &mut self.clients[place];
        let Role::Starting(child) = &client.role else {
            return Ok(());
        };
        match creation::answer(child)? {
            Ok(Ready { pid, terminal }) => {
                let files: Vec<_> = terminal.iter().map(AsFd::as_fd).collect();
                if client.connection.send(&Reply::Done, &files).is_err() {
                    client.open = false;
                }
                match self.unclaimed.iter().find(|(ended, ..)| *ended == pid) {
                    Some((_, code, signal)) => client.tell_end(*code, *signal),
                    None => client.role = Role::Running(pid),
                }
            }
            Err(reply) => {
                client.role = Role::Idle;
                client.reply(&reply);
            }
        }
        Ok(())
    }

    /// Tells everybody how the container ended, once they have read all of its output.
    fn dismiss(mut self, exit: &Exit) -> io::Result<()> {
        loop {
            for client in &mut self.clients {
                let told = match &client.role {
                    Role::Waiting => true,
                    Role::Attached(attached) => !attached.has_pending(),
                    Role::Idle | Role::Starting(_) | Role::Running(_) => {
                        client.open = false;
                        false
                    }
                };
                if told {
                    // The files are closed first: their end is the end of the output.
                    client.role = Role::Idle;
                    client.send_exit(exit);
                    client.open = false;
                }
            }
            self.clients.retain(|client| client.open);
            if self.clients.is_empty() {
                return Ok(());
            }
            self.turn(PollTimeout::NONE)?;
        }
    }
}

fn signal_of(payload: &[u8]) -> Option<crate::Signal> {
    crate::Signal::from_number(i32::from(*payload.first()?))
}
