//! Binary logs: what a crashed or strange server has left.

use mainstay_binlog::{Script, Transactions, undo};

pub(crate) fn binlog(data: &[u8]) {
    let Ok(mut log) = Transactions::new(data) else {
        return;
    };
    let script = Script::new(log.format());
    let mut end = 0;
    while let Ok(Some(transaction)) = log.next_transaction() {
        assert!(end <= transaction.at, "transactions are in order");
        assert!(transaction.at < transaction.end, "a transaction has bytes");
        end = transaction.end;
        let _ = script.redo(&transaction);
        if let Ok(undone) = undo(&transaction) {
            let changes: usize = undone.iter().map(|one| one.count).sum();
            assert!(changes <= data.len() * 1000, "rows come from bytes");
        }
    }
}
