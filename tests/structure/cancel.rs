//! Cancel tokens: whose waits they end, and what is lost by that.

use greenling::net::UnixStream;
use greenling::select::{Operation, poll};
use greenling::time::{CancelToken, sleep};
use greenling::{Channel, WaitError, schedule, spawn};
use greenling_tls::crypto::TestCa;
use greenling_tls::{ContextBuilder, TlsStream};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::sockets::pair;

#[test]
fn ends_the_waits_of_its_members_in_the_order_in_which_they_came() {
    isolated(|| {
        let (token, order) = (CancelToken::new(), Rc::new(RefCell::new(Vec::new())));
        let never = Channel::<()>::new();
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                let (token, order, never) = (token.clone(), order.clone(), never.clone());
                spawn(move || {
                    let result = token.run(|| never.receive());
                    assert!(result.unwrap_err().into_inner().is_err());
                    order.borrow_mut().push(n);
                })
            })
            .collect();
        schedule();
        token.cancel();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        assert_eq!(*order.borrow(), (0..100).collect::<Vec<_>>());
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn a_wait_that_begins_after_the_cancellation_ends_at_once() {
    isolated(|| {
        let token = CancelToken::new();
        token.cancel();
        let result = token.run(|| {
            sleep(Duration::from_secs(3600));
            Channel::<()>::new().receive()
        });
        let inner = result.unwrap_err().into_inner().unwrap_err();
        let greenling::ReceiveError::Wait(WaitError::Cancelled) = inner else {
            panic!("{inner:?}");
        };
        let computed = token.run(|| 6 * 7);
        assert_eq!(computed.unwrap(), 42, "what does not wait is not cut short");
    });
}

#[test]
fn children_are_cancelled_with_their_parent_even_across_a_dropped_generation() {
    isolated(|| {
        let token = CancelToken::new();
        let grandchild = token.child().child();
        let other = token.child();
        other.cancel();
        assert!(!token.is_cancelled() && !grandchild.is_cancelled());
        token.cancel();
        assert!(grandchild.is_cancelled() && token.child().is_cancelled());
        grandchild.wait().unwrap();
    });
}

#[test]
fn a_chain_of_a_million_children_is_no_matter_of_the_stack() {
    isolated(|| {
        let token = CancelToken::new();
        let mut last = token.child();
        for _ in 0..1_000_000 {
            last = last.child();
        }
        token.cancel();
        assert!(last.is_cancelled());
    });
}

#[test]
fn a_stream_whose_read_was_cancelled_goes_on_plain_and_with_tls() {
    fn check<S: Read + Write>(mut ours: S, mut theirs: S) {
        let (token, mut byte) = (CancelToken::new(), [0]);
        let canceller = spawn({
            let token = token.clone();
            move || token.cancel()
        });
        let error = token.run(|| ours.read(&mut byte)).unwrap_err();
        let error = error.into_inner().unwrap_err();
        let why = error.get_ref().and_then(|inner| inner.downcast_ref());
        assert!(matches!(why, Some(WaitError::Cancelled)), "{error:?}");
        canceller.join().unwrap();
        theirs.write_all(b"x").unwrap();
        assert_eq!(ours.read(&mut byte).unwrap(), 1);
        assert_eq!(&byte, b"x");
    }
    isolated(|| {
        let (ours, theirs) = pair();
        check(ours, theirs);
        let ca = TestCa::new("tests").unwrap();
        let identity = ca.issue(&["localhost"]).unwrap();
        let server = ContextBuilder::server().identity(identity).build().unwrap();
        let client = ContextBuilder::client().trust_pem(ca.root_pem().unwrap());
        let (ours, theirs) = pair();
        let client = client.build().unwrap();
        let accepting = server.clone();
        let serving = spawn(move || TlsStream::accept(&accepting, theirs).unwrap());
        let ours = TlsStream::connect(&client, "localhost", ours).unwrap();
        check(ours, serving.join().unwrap());
        let (ours, theirs) = UnixStream::pair().unwrap();
        let serving = spawn(move || TlsStream::accept(&server, theirs).unwrap());
        let ours = TlsStream::connect(&client, "localhost", ours).unwrap();
        check(ours, serving.join().unwrap());
    });
}

#[test]
fn children_are_cancelled_in_the_order_of_their_making() {
    isolated(|| {
        let (token, order) = (CancelToken::new(), Rc::new(RefCell::new(Vec::new())));
        let children: Vec<_> = (0..3).map(|_| token.child()).collect();
        let tasks: Vec<_> = (0..3)
            .rev()
            .map(|n| {
                let (child, order) = (children[n].clone(), order.clone());
                spawn(move || {
                    child.wait().unwrap();
                    order.borrow_mut().push(n);
                })
            })
            .collect();
        schedule();
        token.cancel();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        assert_eq!(*order.borrow(), [0, 1, 2]);
    });
}

#[test]
fn a_cancellation_that_was_selected_is_taken_once() {
    isolated(|| {
        let token = CancelToken::new();
        token.cancel();
        let mut cancelling = token.cancelling();
        assert_eq!(poll(&mut [&mut cancelling]), Some(0));
        assert_eq!(cancelling.take(), Some(()));
        assert_eq!(cancelling.take(), None);
    });
}
