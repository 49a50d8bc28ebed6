"""Measures what a configuration finds, on questions whose right documents are known. Behind ``quoth eval``.

A dataset is a folder in BEIR's layout: ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``,
``text``, and ``turns`` where a query is the last message of a thread) and the judgements, ``qrels.tsv`` or
``qrels/test.tsv``. :mod:`~bot.evaluation.dataset` reads and checks it, :mod:`~bot.evaluation.connector` makes a source
of it. That is synced into the configured kind of store by the code that syncs everything else, but apart from what
questions are answered from (:mod:`~bot.evaluation.quarters`). Its index is kept under ``data_dir/eval`` and used again:
a second run embeds nothing, a changed dataset costs its difference. To be rid of it, remove the folder (and, in a
Weaviate, the collection with ``_Eval_`` in its name).

When every chunk has its vector, each query is searched as ``quoth search`` does it (:mod:`~bot.evaluation.running`); a
document ranks by its best chunk. :mod:`~bot.evaluation.metrics` scores each query, :mod:`~bot.evaluation.intervals`
tells how far chance can have moved the means. One dataset gives the same figures every time, unless the machine is so
busy that reading passages again takes longer than it may; latencies vary.

Beside it the usual pipelines (:mod:`~bot.evaluation.baselines`) may search the same chunks by the same vectors
(:mod:`~bot.evaluation.pieces`), and :mod:`~bot.evaluation.comparison` tells what differs beyond chance. For people
there is a table, and a report (:mod:`~bot.evaluation.report`): a page, pictures, or both.
"""
