# SPDX-License-Identifier: Apache-2.0
"""Prunes one checkpoint at once by magnitude, with Espalier and with torch.nn.utils.prune: how many weights are zero in
only one of them, and how far the logits of dev sentences are apart. A Markdown table of docs/results/PRUNING.md. Run it
with a Python that has torch, transformers, h5py and safetensors."""
import json, os, tempfile
import programs

p = programs.parser(__doc__, "model", "data")
p.add_argument("--sentences", type=int, default=200, help="of the dev set (default 200)")
a = p.parse_args()

import h5py, torch
from safetensors.torch import load_file
from torch.nn.utils import prune
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

with h5py.File(a.model) as file:
    config = json.loads(bytes(file["config"][()]).decode())
    state = {name: torch.from_numpy(file["weights"][name][()]) for name in file["weights"]}


def pruned(amount, scope):
    model = BertForSequenceClassification(BertConfig(**{k: config[k] for k in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")}, num_labels=2)).eval()
    model.load_state_dict(state, strict=False)
    layers = sorted((name, m) for name, m in model.bert.encoder.named_modules() if isinstance(m, torch.nn.Linear))
    if scope == "global":
        prune.global_unstructured([(m, "weight") for _, m in layers], pruning_method=prune.L1Unstructured, amount=amount)
    else:
        for _, m in layers:
            prune.l1_unstructured(m, "weight", amount=amount)
    for _, m in layers:
        prune.remove(m, "weight")
    return model


with tempfile.TemporaryDirectory() as folder:
    dev = os.path.join(folder, "dev.tsv")
    with open(os.path.join(a.data, "dev.tsv"), encoding="utf8") as whole, open(dev, "w", encoding="utf8") as part:
        part.writelines(line for _, line in zip(range(a.sentences + 1), whole))
    texts = [line.rsplit("\t", 1)[0] for line in open(dev, encoding="utf8").read().splitlines()[1:]]
    ours, logits_file = os.path.join(folder, "ours.h5"), os.path.join(folder, "logits.tsv")
    print("| pruned | scope | zeros that differ | largest difference of logits |\n|---|---|---|---|")
    for amount in (0.3, 0.8):
        for scope in ("layer", "global"):
            programs.run(a.build, "prune", "--model", a.model, "--output", ours, "--amount", amount, "--scope", scope)
            programs.run(a.build, "evaluate", "--model", ours, "--data", dev, "--precision", "f32", "--logits", logits_file)
            found = torch.tensor([[float(x) for x in line.split("\t")[:2]] for line in open(logits_file) if line[0] in "-0123456789"])
            directory = os.path.join(folder, f"{amount}{scope}")
            programs.run(a.build, "export", "--model", ours, "--output", directory)
            here = load_file(os.path.join(directory, "model.safetensors"))
            tokenizer = AutoTokenizer.from_pretrained(directory)
            model = pruned(amount, scope)
            differ = sum(int(((m.weight == 0) != (here["bert.encoder." + name + ".weight"] == 0)).sum()) for name, m in model.bert.encoder.named_modules() if isinstance(m, torch.nn.Linear))
            with torch.inference_mode():
                wanted = torch.cat([model(torch.tensor([tokenizer(t)["input_ids"]])).logits for t in texts])
            print(f"| {100 * amount:.0f} % | {scope} | {differ} | {(found - wanted).abs().max():.1e} |", flush=True)
