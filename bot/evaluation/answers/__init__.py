"""Measures what is answered, on questions whose right answers are known. Behind ``quoth eval QUESTIONS --answers``.

A question file says for each question which facts a correct answer holds, or that the honest answer is none
(:mod:`~bot.evaluation.answers.form` is its form, :mod:`~bot.evaluation.answers.reading` reads and checks it). Every
question goes through the product's own answering chain, in its knowledge base and thread, with whatever model is
configured (:mod:`~bot.evaluation.answers.running`). Answers are judged without a model: what an answer must say
(:mod:`~bot.evaluation.answers.facts`), how it overlaps with a reference (:mod:`~bot.evaluation.answers.overlap`), and
whether what it cites supports what it says (:mod:`~bot.evaluation.answers.support`).
"""
