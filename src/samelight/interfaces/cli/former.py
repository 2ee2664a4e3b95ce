"""Options that were, and what to do in their place."""

FORMER_OPTIONS = {
    "--bold": "all of the correction is the default now; --gate auto does less",
    "--restraint": "it is called --gate now",
    "--shrink": "it is called --erode now",
    "--peers": "it is called --baselines now",
    "--contender": "it is called --entry now",
    "--output": "results are in the folder --out DIR, a row per image in its scores.csv",
}
