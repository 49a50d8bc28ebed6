"""What is counted and timed, for /metrics. No label holds anybody's words, and none grows without bound."""

from prometheus_client import Counter, Gauge, Histogram

QUESTIONS = Counter("quoth_questions_total", "Questions that ended, by outcome.", ["outcome"])
ANSWER_SECONDS = Histogram(
    "quoth_answer_seconds",
    "From a question's arrival to its visible answer.",
    buckets=(0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128),
)
ACK_SECONDS = Histogram(
    "quoth_acknowledge_seconds",
    "From a delivery to its acknowledgement.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3),
)
DROPPED_CITATIONS = Counter("quoth_dropped_citations_total", "Citations that pointed at nothing we had sent.")
WAITING = Gauge("quoth_questions_waiting", "Questions in the inbox that have no outcome yet.")
RUNS = Counter("quoth_runs_total", "Syncs that ended, by source and status.", ["source", "status"])
LAST_SUCCESS = Gauge(
    "quoth_source_last_success_seconds", "When a source was last compared, as a Unix time.", ["source"]
)
HELD = Gauge("quoth_documents_held", "Removals that wait for a person, by source.", ["source"])
UNREADABLE = Gauge("quoth_documents_unreadable", "Documents in quarantine, by source.", ["source"])
MISSED_TIMES = Counter("quoth_timer_missed_total", "Scheduled times that passed without their job.")
