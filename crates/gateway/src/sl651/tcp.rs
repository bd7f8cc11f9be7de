//! Links over TCP: one task each. It reads what is there, hands every message on at once, and writes the confirmations when
//! the disk has them.

use super::link::{Link, Stop};
use super::{Door, ORDERS_MAX, Order};
use crate::counting::add;
use crate::listening::{Place, stopped, tune};
use proto_sl651::Station;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

pub(crate) async fn receive(place: Place<Door>, stream: TcpStream, peer: SocketAddr) {
    let door = Arc::clone(&place.door);
    tune(&stream, peer, door.options.limits.tcp_keep_alive_seconds);
    let (orders, taken) = mpsc::channel(ORDERS_MAX);
    let mut link = Link::new(Arc::clone(&door), peer.ip(), false);
    let mut stream = stream;
    let mut told = HashSet::new();
    run(
        &door,
        &mut link,
        &mut stream,
        peer,
        (&orders, taken),
        &mut told,
    )
    .await;
    let mut lines = door.lines.lock();
    for station in told {
        if lines
            .get(&station)
            .is_some_and(|line| line.same_channel(&orders))
        {
            lines.remove(&station);
        }
    }
    drop(lines);
    link.end();
}

async fn run(
    door: &Arc<Door>,
    link: &mut Link,
    stream: &mut TcpStream,
    peer: SocketAddr,
    (orders, mut taken): (&mpsc::Sender<Order>, mpsc::Receiver<Order>),
    told: &mut HashSet<Station>,
) {
    let limits = &door.options.limits;
    let mut durable = door.sink.durable();
    let mut shutdown = door.shutdown.subscribe();
    let mut buffer = vec![0; limits.read_bytes_max.max(1)];
    let mut read_at = Instant::now();
    loop {
        let worked = link.work().await;
        let position = *durable.borrow_and_update();
        link.confirm(position);
        // Where orders for these stations go from now on; before the station hears that it was heard.
        for station in link.online.keys() {
            if told.insert(*station) {
                door.lines.lock().insert(*station, orders.clone());
            }
        }
        if write(door, link, stream).await.is_err() {
            return;
        }
        let is_busy = match worked {
            Ok(()) => false,
            Err(Stop::Busy) => true,
            Err(Stop::Close(problem)) => {
                tracing::info!(%peer, %problem, "link closed");
                return;
            }
        };
        let idle_at = read_at + Duration::from_secs(limits.idle_seconds_max);
        let mut alarm = idle_at;
        if is_busy {
            alarm = alarm.min(Instant::now() + Duration::from_millis(limits.busy_retry_ms));
        } else if let Some(deadline) = link.session.deadline() {
            alarm = alarm.min(door.instant(deadline));
        }
        let reads = !is_busy && !link.session.is_full();
        let awaits = is_busy || link.session.awaits().is_some();
        tokio::select! {
            biased;
            () = stopped(&mut shutdown) => {
                finish(door, link, stream, &mut durable).await;
                return;
            }
            changed = durable.changed(), if awaits => {
                if changed.is_err() {
                    return;
                }
            }
            Some(order) = taken.recv() => link.order(order),
            read = stream.read(&mut buffer), if reads => match read {
                Ok(0) | Err(_) => {
                    // Nobody is there to be confirmed, but what came is kept.
                    let _ = link.work().await;
                    return;
                }
                Ok(bytes) => {
                    read_at = Instant::now();
                    add(&door.metrics.bytes_in_total, bytes);
                    link.session.receive(buffer.get(..bytes).unwrap_or_default(), door.now());
                }
            },
            () = sleep_until(alarm) => {
                if Instant::now() >= idle_at {
                    tracing::debug!(%peer, "link closed: nothing came");
                    return;
                }
            }
        }
    }
}

async fn write(door: &Door, link: &mut Link, stream: &mut TcpStream) -> std::io::Result<()> {
    let patience = Duration::from_millis(door.options.limits.write_timeout_ms);
    while let Some(frame) = link.session.output() {
        timeout(patience, stream.write_all(&frame)).await??;
        add(&door.metrics.bytes_out_total, frame.len());
    }
    Ok(())
}

/// Takes no more, and waits for what was taken to be confirmed.
async fn finish(
    door: &Door,
    link: &mut Link,
    stream: &mut TcpStream,
    durable: &mut watch::Receiver<u64>,
) {
    let deadline = Instant::now() + Duration::from_millis(door.options.limits.shutdown_ms);
    while link.session.awaits().is_some() {
        let changed = tokio::time::timeout_at(deadline, durable.changed()).await;
        let position = *durable.borrow_and_update();
        link.confirm(position);
        if write(door, link, stream).await.is_err() || !matches!(changed, Ok(Ok(()))) {
            break;
        }
    }
    // Whoever does not listen to a good-bye is simply left.
    let _ = stream.shutdown().await;
}
