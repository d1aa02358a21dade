#!/usr/bin/env bash
# The main job, in an environment where kg-reason is installed: WordNet -> graph, plain sentences -> examples, a fused
# model, three answers.
#
#   scripts/main_job.sh [FOLDER [NUM_PAIRS]]
#
# Each step is left out when its result is in FOLDER already; remove the folder to start afresh.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out="${1:-quickstart}"
num_pairs="${2:-8000}"
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

mkdir -p "$out"

if [ ! -f "$out/wordnet/graph.json" ]; then
    say "1/5  Build: the triples files of graphs/wordnet -> $out/wordnet"
    kg-reason build graphs/wordnet --out "$out/wordnet"
else
    say "1/5  Build: $out/wordnet is there"
fi

if [ ! -f "$out/train.jsonl" ]; then
    say "2/5  Synthesize: 600 plain sentences + the graph -> labelled pairs, $out/train.jsonl and $out/held_out.jsonl"
    kg-reason synthesize "$out/wordnet" --sentences data/sentences.txt \
        --num-pairs "$num_pairs" --out "$out/train.jsonl" --dev-out "$out/held_out.jsonl" --dev-share 0.1
else
    say "2/5  Synthesize: $out/train.jsonl is there"
fi

if [ ! -f "$out/model/config.json" ]; then
    say "3/5  Train: a pretrained MiniLM fused with the graph (up to 10 minutes on two CPU cores)"
    resume=()
    [ ! -d "$out/model.training" ] || resume=(--resume)
    kg-reason train --graph "$out/wordnet" --examples "$out/train.jsonl" --num-epochs 2 --encoder-dropout 0 \
        --out "$out/model" "${resume[@]}"
else
    say "3/5  Train: $out/model is there"
fi

say "4/5  Evaluate: with the graph beside the text alone, on pairs that training did not see"
echo "Held-out sentences, pairs made from the graph ($out/held_out.jsonl):"
kg-reason evaluate "$out/model" "$out/held_out.jsonl"
echo
echo "Sixty pairs written by hand (data/pairs.jsonl):"
kg-reason evaluate "$out/model" data/pairs.jsonl

say "5/5  Query: three answers and the paths that moved them"
kg-reason query "$out/model" --file data/queries.jsonl --max-paths 2

say "Done"
cat <<TEXT
Written:   $out/wordnet     the graph            $out/train.jsonl   the examples
           $out/model       the trained model    (remove $out/ to start afresh)

Try next, after  source ${VENV:-.venv}/bin/activate
  kg-reason query $out/model "A woman eats an apple." "A woman eats a fruit."
  kg-reason paths $out/wordnet violin instrument
  kg-reason edit $out/wordnet --add gavorn wn:hypernym wn:violin.n.01
  kg-reason query $out/model "A man plays a gavorn." "A man plays a violin."
TEXT
