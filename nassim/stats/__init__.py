"""Statistics of anytime performance: pure functions on arrays, each with its source and its unit.

    finding        a value, or the reason why there is none
    samples        mean, median, quartiles, interquartile mean
    curves         right-continuous steps on seconds, queries or epochs; bands over runs
    bootstrap      percentile intervals, stratified by benchmark
    targets        expected running time, success rate, ECDF with simulated restarts, performance profiles
    anytime        area over the curve
    rank_tests     Wilcoxon's signed-rank, Mann and Whitney's rank-sum test, Holm's correction
    ranks          ranks over time, Friedman's and Nemenyi's tests, critical differences
    pairs          probability of improvement, effect sizes, seeds needed
    entrants       who takes part in ranks and tests: those with all seeds
    comparison     all of these on a study's final regrets
    retraining     what training again tells of a ranking
    changes        what changed between two studies
    words          a comparison in three sentences; certainty is the second of them

Several objectives (fronts, hypervolumes, attainment surfaces) are computed in `nassim.pareto`, where strategies can
reach them too, and are to be had from here.

Values are to be minimized (regret, in percentage points) throughout. What cannot be computed comes back as
a `Finding` with a reason, or as NaN where the docstring says so: nothing raises or warns for thin data.
"""

from nassim.pareto import (
    Scale,
    attainment_surface,
    fronts,
    hypervolume,
    hypervolume_steps,
    non_dominated,
    normalized_hypervolume,
    scale_of,
)
from nassim.stats.anytime import area_over_curve
from nassim.stats.bootstrap import Interval, IntervalBand, bootstrap_band, bootstrap_difference, bootstrap_interval
from nassim.stats.changes import Change, changes_between
from nassim.stats.comparison import Comparison, Pair, Score, Scores, compare_strategies
from nassim.stats.curves import (
    Band,
    Curve,
    MeanBand,
    band,
    band_at,
    common_budget,
    final_values,
    log_times,
    mean_band,
    regret_curve,
    rises,
    step_values,
    values_at,
)
from nassim.stats.entrants import Entrants, entrants
from nassim.stats.finding import Finding
from nassim.stats.pairs import (
    a12,
    cliffs_delta,
    cohens_d,
    magnitude,
    probability_of_improvement,
    seeds_to_separate,
    tied_share,
)
from nassim.stats.rank_tests import RankTest, holm, rank_sum, signed_rank
from nassim.stats.ranks import (
    Friedman,
    Ranking,
    block_ranks,
    cliques,
    critical_difference,
    friedman,
    nemenyi,
    ranking,
    ranks_over_time,
)
from nassim.stats.samples import Summary, interquartile_mean, iqm, summarize
from nassim.stats.targets import (
    ProfileBand,
    RunningTime,
    ecdf,
    expected_running_time,
    first_hits,
    log_targets,
    performance_profile,
    profile_band,
    running_time_quantiles,
    simulated_restarts,
    spent_of,
)
from nassim.stats.words import Circumstances, three_sentences

__all__ = [
    "Band",
    "Change",
    "Circumstances",
    "Comparison",
    "Curve",
    "Entrants",
    "Finding",
    "Friedman",
    "Interval",
    "IntervalBand",
    "MeanBand",
    "Pair",
    "ProfileBand",
    "RankTest",
    "Ranking",
    "RunningTime",
    "Scale",
    "Score",
    "Scores",
    "Summary",
    "a12",
    "area_over_curve",
    "attainment_surface",
    "band",
    "band_at",
    "block_ranks",
    "bootstrap_band",
    "bootstrap_difference",
    "bootstrap_interval",
    "changes_between",
    "cliffs_delta",
    "cliques",
    "cohens_d",
    "common_budget",
    "compare_strategies",
    "critical_difference",
    "ecdf",
    "entrants",
    "expected_running_time",
    "final_values",
    "first_hits",
    "friedman",
    "fronts",
    "holm",
    "hypervolume",
    "hypervolume_steps",
    "interquartile_mean",
    "iqm",
    "log_targets",
    "log_times",
    "magnitude",
    "mean_band",
    "nemenyi",
    "non_dominated",
    "normalized_hypervolume",
    "performance_profile",
    "probability_of_improvement",
    "profile_band",
    "rank_sum",
    "ranking",
    "ranks_over_time",
    "regret_curve",
    "rises",
    "running_time_quantiles",
    "scale_of",
    "seeds_to_separate",
    "signed_rank",
    "simulated_restarts",
    "spent_of",
    "step_values",
    "summarize",
    "three_sentences",
    "tied_share",
    "values_at",
]
