"""The report of a study: an interactive page, a text for readers and tables and figures for papers.

runs        a study's runs as curves
analysis    everything that is computed, once for all forms of the report
table       a table, written as HTML, Markdown or LaTeX
results     the tables of final regret, pairs, expected running time
charts      what the page draws, as compact arrays
fronts      several objectives: fronts, attainment surfaces, hypervolume
cells       the best architectures, drawn
family      the trainings whose weights an answer began with
race        one typical run of each strategy, for the replay
settings    hyperparameters, and whether they are the published ones
checklist   the checklist of Lindauer and Hutter
validation  what was trained again, and what that tells
changes     what changed since an older study
page        report.html
markdown    report.md
latex       tables/*.tex
figures     figures/*.pdf and *.svg
"""
