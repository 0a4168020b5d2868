//! The types of events that matter here.
//!
//! Source: `MySQL` source documentation, `Log_event_type`; `MariaDB` Knowledge Base, "Replication
//! Protocol", for those from 160 on.

use std::fmt;

macro_rules! kinds {
    ($($name:ident = $code:literal, $shown:literal;)*) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = concat!("`", $shown, "`.")] $name,)*
            /// A type that nothing here looks into.
            Other(u8),
        }

        impl Kind {
            /// The type of a code.
            pub fn of(code: u8) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::Other(code),
                }
            }

            /// Its code in a header.
            pub fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(code) => code,
                }
            }
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($shown),)*
                    Self::Other(code) => write!(f, "type {code}"),
                }
            }
        }
    };
}

kinds! {
    Query = 2, "Query";
    Stop = 3, "Stop";
    Rotate = 4, "Rotate";
    Intvar = 5, "Intvar";
    Rand = 13, "RAND";
    UserVar = 14, "User var";
    FormatDescription = 15, "Format_desc";
    Xid = 16, "Xid";
    BeginLoadQuery = 17, "Begin_load_query";
    ExecuteLoadQuery = 18, "Execute_load_query";
    TableMap = 19, "Table_map";
    WriteRowsV1 = 23, "Write_rows_v1";
    UpdateRowsV1 = 24, "Update_rows_v1";
    DeleteRowsV1 = 25, "Delete_rows_v1";
    Incident = 26, "Incident";
    Heartbeat = 27, "Heartbeat";
    RowsQuery = 29, "Rows_query";
    WriteRows = 30, "Write_rows";
    UpdateRows = 31, "Update_rows";
    DeleteRows = 32, "Delete_rows";
    Gtid = 33, "Gtid";
    AnonymousGtid = 34, "Anonymous_Gtid";
    PreviousGtids = 35, "Previous_gtids";
    XaPrepare = 38, "XA_prepare";
    PartialUpdateRows = 39, "Update_rows_partial";
    TransactionPayload = 40, "Transaction_payload";
    GtidTagged = 42, "Gtid_tagged_log_event";
    AnnotateRows = 160, "Annotate_rows";
    BinlogCheckpoint = 161, "Binlog_checkpoint";
    MariadbGtid = 162, "Gtid";
    GtidList = 163, "Gtid_list";
    StartEncryption = 164, "Start_encryption";
    QueryCompressed = 165, "Query_compressed";
    WriteRowsCompressedV1 = 166, "Write_rows_compressed_v1";
    UpdateRowsCompressedV1 = 167, "Update_rows_compressed_v1";
    DeleteRowsCompressedV1 = 168, "Delete_rows_compressed_v1";
    WriteRowsCompressed = 169, "Write_rows_compressed";
    UpdateRowsCompressed = 170, "Update_rows_compressed";
    DeleteRowsCompressed = 171, "Delete_rows_compressed";
}
