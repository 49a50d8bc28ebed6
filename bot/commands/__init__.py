"""What `quoth` can be told to do, by what it is about: a command reads its words, asks the house, shows the outcome.

:mod:`~bot.commands.asking` finds and answers; :mod:`~bot.commands.keeping` syncs and says how things stand;
:mod:`~bot.commands.measuring` evaluates; :mod:`~bot.commands.questions` writes what it asks;
:mod:`~bot.commands.moving` moves the index; :mod:`~bot.commands.running` serves and demonstrates;
:mod:`~bot.commands.configuring` checks quoth.yaml. What they share is in :mod:`~bot.commands.house`.
"""
