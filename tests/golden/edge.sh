#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes tests/golden/edge: small models of three kinds as edge files, texts, and the scores that the engine gives, for
# the runtime's tests on other machines. usage: PY=python tests/golden/edge.sh (needs build/apps, transformers, torch)
set -euo pipefail
cd "$(dirname "$0")/../.."
programs=$PWD/build/apps out=$PWD/tests/golden/edge work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
"${PY:-python3}" - "$work" <<'PY'
import sys, torch, transformers
work = sys.argv[1]
letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'"
words = "the film is not very good dull plot fun bad".split()
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *["##" + c for c in letters], *words]
torch.manual_seed(7)
config = transformers.BertConfig(vocab_size=len(vocabulary), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=160, max_position_embeddings=40, initializer_range=0.15,
                                 id2label={0: "negative", 1: "neutral", 2: "positive"}, problem_type="single_label_classification")
model = transformers.BertForSequenceClassification(config)
model.save_pretrained(f"{work}/model")
open(f"{work}/model/vocab.txt", "w").write("\n".join(vocabulary) + "\n")
open(f"{work}/model/tokenizer_config.json", "w").write('{"tokenizer_class": "BertTokenizer", "do_lower_case": true}')
texts = ["the film is not very good", "a dull plot !", "", "FUN, fun; fun...", "Caf\u00e9 na\u00efve \ud55c\uad6d\uc5b4 \u4e2d\u6587 \U0001f600",
         "bad " * 60, "x", "the plot is bad\ta film is fun", "it 's 1999", "\u0130stanbul \u1e9e \u00c5ngstr\u00f6m"]
open(f"{work}/texts.txt", "w").write("\n".join(texts) + "\n")
PY
cp "$work/texts.txt" "$out/texts.txt"
printf 'sentence\tlabel\n' >"$work/calibration.tsv"
for text in "the film is not very good" "a dull plot" "fun fun fun" "it is 1999 , the plot is bad !"; do
  printf '%s\tnegative\n' "$text" >>"$work/calibration.tsv"
done
cd "$work"
"$programs/quantize" --model model --output static.h5 --mode static --calibration calibration.tsv --quiet
"$programs/prune" --model model --output pruned.h5 --structure block:32x32 --amount 0.5 --quiet
"$programs/quantize" --model pruned.h5 --output blocks4.h5 --mode dynamic --bits 4 --quiet
declare -A source=([f32]=model [static]=static.h5 [blocks4]=blocks4.h5)
for name in f32 static blocks4; do
  "$programs/export" --model "${source[$name]}" --format edge --output "$out/$name.edge" --quiet
  "$programs/predict" --model "${source[$name]}" --json <texts.txt | "${PY:-python3}" -c '
import json, sys
for line in sys.stdin: print(*("%.7f" % p for p in json.loads(line)["probabilities"]))' >"$out/$name.txt"
done
