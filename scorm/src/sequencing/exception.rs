//! The exceptions of SN appendix D.

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Declares the exceptions with their code and what it means in one place.
macro_rules! exceptions {
    ($($name:ident $code:literal $meaning:literal;)+) => {
        /// Why a request did not lead to a delivery, by the code of SN appendix D.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
        pub enum Exception {
            $(
                #[doc = concat!($code, ": ", $meaning, ".")]
                #[error("{}: {}", $code, $meaning)]
                $name,
            )+
        }

        impl Exception {
            /// The code as the specification writes it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// All of them, in the order of the appendix.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

exceptions! {
    Nb21_1 "NB.2.1-1" "the sequencing session has already begun";
    Nb21_2 "NB.2.1-2" "the sequencing session has not begun";
    Nb21_3 "NB.2.1-3" "no activity is suspended";
    Nb21_4 "NB.2.1-4" "flow is not enabled, or the root is current";
    Nb21_5 "NB.2.1-5" "flow is not enabled or only forward";
    Nb21_6 "NB.2.1-6" "there is nothing before the root";
    Nb21_7 "NB.2.1-7" "the request has no defined behaviour";
    Nb21_8 "NB.2.1-8" "an activity that would have to end forbids to leave it by choice";
    Nb21_9 "NB.2.1-9" "no activities lie between the current and the chosen one";
    Nb21_10 "NB.2.1-10" "choice is not enabled where the activity lies";
    Nb21_11 "NB.2.1-11" "the activity does not exist or is not available";
    Nb21_12 "NB.2.1-12" "the current activity has already ended";
    Nb21_13 "NB.2.1-13" "the navigation request is undefined";
    Tb23_1 "TB.2.3-1" "there is no current activity to end";
    Tb23_2 "TB.2.3-2" "the current activity has already ended";
    Tb23_3 "TB.2.3-3" "the root, having ended, cannot be suspended";
    Tb23_4 "TB.2.3-4" "the root has no parent to exit";
    Tb23_5 "TB.2.3-5" "nothing to suspend";
    Tb23_6 "TB.2.3-6" "nothing to abandon";
    Tb23_7 "TB.2.3-7" "the termination request is undefined";
    Sb21_1 "SB.2.1-1" "the last activity was passed";
    Sb21_2 "SB.2.1-2" "the cluster has no available activity";
    Sb21_3 "SB.2.1-3" "the first activity was reached";
    Sb21_4 "SB.2.1-4" "the cluster only goes forward";
    Sb22_1 "SB.2.2-1" "flow is not enabled in the cluster";
    Sb22_2 "SB.2.2-2" "the activity is disabled or over its limits";
    Sb24_1 "SB.2.4-1" "an activity on the way stops forward traversal";
    Sb24_2 "SB.2.4-2" "the cluster only goes forward";
    Sb24_3 "SB.2.4-3" "there is nothing before the root";
    Sb25_1 "SB.2.5-1" "the sequencing session has already begun";
    Sb26_1 "SB.2.6-1" "the sequencing session has already begun";
    Sb26_2 "SB.2.6-2" "no activity is suspended";
    Sb27_1 "SB.2.7-1" "the sequencing session has not begun";
    Sb27_2 "SB.2.7-2" "flow is not enabled in the cluster";
    Sb28_1 "SB.2.8-1" "the sequencing session has not begun";
    Sb28_2 "SB.2.8-2" "flow is not enabled in the cluster";
    Sb29_1 "SB.2.9-1" "no activity was chosen";
    Sb29_2 "SB.2.9-2" "the activity is not among the selected ones";
    Sb29_3 "SB.2.9-3" "the activity is hidden from choice";
    Sb29_4 "SB.2.9-4" "choice is not enabled in the cluster";
    Sb29_5 "SB.2.9-5" "nothing lies between the current and the chosen activity";
    Sb29_6 "SB.2.9-6" "a cluster may not be entered by choice";
    Sb29_7 "SB.2.9-7" "a cluster may not be left by choice";
    Sb29_8 "SB.2.9-8" "the choice is constrained to what comes next";
    Sb29_9 "SB.2.9-9" "nothing can be delivered below the chosen activity";
    Sb210_1 "SB.2.10-1" "the sequencing session has not begun";
    Sb210_2 "SB.2.10-2" "an active or suspended activity cannot be retried";
    Sb210_3 "SB.2.10-3" "nothing can be delivered on the retry";
    Sb211_1 "SB.2.11-1" "the sequencing session has not begun";
    Sb211_2 "SB.2.11-2" "the current activity has not ended";
    Sb212_1 "SB.2.12-1" "the sequencing request is undefined";
    Sb213_1 "SB.2.13-1" "the sequencing session has not begun";
    Db11_1 "DB.1.1-1" "only an activity without children can be delivered";
    Db11_2 "DB.1.1-2" "there is nothing to deliver";
    Db11_3 "DB.1.1-3" "an activity on the way is disabled or over its limits";
    Db2_1 "DB.2-1" "the current activity has not ended";
}

impl Serialize for Exception {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
