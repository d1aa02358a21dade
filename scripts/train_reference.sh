#!/usr/bin/env bash
# The reference reasoner: WordNet, the labelled pairs of a folder of benchmarks, and pairs made from their sentences.
#
#   scripts/train_reference.sh --benchmarks PATH [--out FOLDER] [--seeds "0 1 2"] [--evidence "paths text"]
#                              [--shares "1 0.1"] [--measure] [--graphs PATH]
#
# PATH holds one folder per data set, each with JSON Lines files named after their splits (recipe.py names them). Without
# more it trains FOLDER/paths-0, in about 20 minutes on two cores. --seeds and --evidence train further seeds,
# the twin without the graph (text) and the controls (counts, verbalised, tokens); --shares takes so much of the
# labelled pairs. --measure answers all test sets with every run; then
#
#   python scripts/reproduce.py FOLDER/*-*/ --notes docs/results/learning_notes.md
#
# prints the page docs/results/learning.md. --graphs is a folder with graphs that no model was trained on: codex_m,
# codex_s, disease_ontology and conceptnet_cn100k. What is in FOLDER already is not done again.
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

benchmarks="" out="runs/reference" seeds="0" evidence="paths" shares="1" measure="" graphs=""
while [ $# -gt 0 ]; do
    case "$1" in
        --benchmarks) benchmarks="$2"; shift 2 ;;
        --out) out="$2"; shift 2 ;;
        --seeds) seeds="$2"; shift 2 ;;
        --evidence) evidence="$2"; shift 2 ;;
        --shares) shares="$2"; shift 2 ;;
        --measure) measure=yes; shift ;;
        --graphs) graphs="$2"; shift 2 ;;
        *) echo "error: found $1, expected --benchmarks, --out, --seeds, --evidence, --shares, --measure or --graphs" >&2
           exit 2 ;;
    esac
done
[ -d "$benchmarks/snli" ] || { echo "error: --benchmarks: found '$benchmarks', expected a folder that holds snli/" >&2; exit 2; }

use_environment "${VENV:-.venv}" dev
mkdir -p "$out"
[ -f "$out/wordnet/graph.json" ] || kg-reason build graphs/wordnet --out "$out/wordnet"
for share in $shares; do
    for seed in $seeds; do
        for kind in $evidence; do
            run="$out/$kind-$seed"
            [ "$share" = 1 ] || run="$out/$kind-$share-$seed"
            [ -f "$run/result.json" ] || {
                say "Training $run"
                python scripts/recipe.py --benchmarks "$benchmarks" --graph "$out/wordnet" --out "$run" \
                    --seed "$seed" --evidence "$kind" --labelled-share "$share"
            }
        done
    done
done
[ -n "$measure" ] || exit 0
[ -f "$out/tests/summary.json" ] || {
    say "Making the test pairs"
    others=()
    [ -z "$graphs" ] || others=(
        --codex "$graphs/codex_m" "$graphs/codex_s" --diseases "$graphs/disease_ontology"
        --conceptnet "$graphs/conceptnet_cn100k"
    )
    python scripts/make_test_pairs.py --graph "$out/wordnet" --train "$out/made.jsonl" --out "$out/tests" --seed 100 \
        "${others[@]}"
}
for run in "$out"/*-*/; do
    [ ! -f "$run/result.json" ] || {
        say "Measuring $run"
        python scripts/measure.py "$run" --graph "$out/wordnet" --tests "$out/tests" --benchmarks "$benchmarks" \
            --out "$run/measures"
    }
done
