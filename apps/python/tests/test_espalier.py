# SPDX-License-Identifier: Apache-2.0
"""The package against the programs in ESPALIER_APPS (build/apps): pytest apps/python/tests."""
import json
import os
import pathlib
import subprocess
import threading

import numpy as np
import pytest

import espalier

ROOT = pathlib.Path(__file__).parents[3]
APPS = pathlib.Path(os.environ.get("ESPALIER_APPS", ROOT / "build" / "apps")).absolute()
GOLDEN = ROOT / "tests" / "golden"
TEXTS = ["the film is good .", "a very dull story", "", "größer", "not bad ! " * 9]


def run(program: str, *words: object, given: str = "") -> str:
    command = [str(word) for word in (APPS / program, *words, "--quiet")]
    return str(subprocess.run(command, check=True, input=given, stdout=subprocess.PIPE, text=True).stdout)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    folder = tmp_path_factory.mktemp("models")
    found = {"hf": GOLDEN / "hf_model", "h5": folder / "dense.h5", "int4": folder / "int4.h5", "edge": folder / "int4.edge"}
    espalier.convert(found["hf"], found["h5"])
    run("prune", "--model", found["h5"], "--amount", 0.7, "--output", folder / "pruned.h5")
    run("quantize", "--model", folder / "pruned.h5", "--mode", "dynamic", "--bits", 4, "--output", found["int4"])
    espalier.convert(found["int4"], found["edge"])
    return found


@pytest.mark.parametrize("form", ["hf", "h5", "int4"])
def test_numbers_are_those_of_the_programs(models: dict[str, pathlib.Path], tmp_path: pathlib.Path, form: str) -> None:
    model = espalier.open(models[form])
    texts = [text for text in TEXTS if text]
    data, logits = tmp_path / "data.tsv", tmp_path / "logits.tsv"
    data.write_text("sentence\n" + "".join(text + "\n" for text in texts))
    run("evaluate", "--model", models[form], "--data", data, "--logits", logits, "--precision", "f32")
    expected = np.loadtxt(logits, dtype=np.float32, ndmin=2)
    assert np.abs(model.logits(texts) - expected).max() < 1e-5  # as many digits as the file has
    for text, answer in zip(texts, model.predict(texts)):
        line = json.loads(run("predict", "--model", models[form], "--precision", "f32", "--json", text))
        assert line["label"] == answer.label and line["probability"] == answer.probability
        ids = run("tokenize", "--model", models[form], "--max-length", model.max_length, given=text + "\n")
        assert model.tokenize(text).tolist() == [int(i) for i in ids.split()]
    assert np.array_equal(model.scores(texts), [answer.probabilities for answer in model.predict(texts)])


def test_forms_agree(models: dict[str, pathlib.Path]) -> None:
    of = {form: espalier.open(path) for form, path in models.items()}
    assert np.array_equal(of["hf"].logits(TEXTS), of["h5"].logits(TEXTS))
    assert np.array_equal(of["int4"].logits(TEXTS), of["edge"].logits(TEXTS))
    assert of["edge"].vocabulary == of["hf"].vocabulary and of["edge"].labels == ["negative", "neutral", "positive"]
    assert of["edge"].task == "classification" and of["hf"].max_length == 20


def test_texts_may_be_lists_tuples_arrays_and_pairs(models: dict[str, pathlib.Path]) -> None:
    model = espalier.open(models["hf"])
    expected = model.logits(TEXTS)
    assert expected.shape == (5, 3) and expected.dtype == np.float32 and model.scores([]).shape == (0, 3)
    assert np.array_equal(model.logits(tuple(TEXTS)), expected)
    assert np.array_equal(model.logits(np.array(TEXTS)), expected)  # type: ignore[arg-type]
    assert not np.array_equal(model.logits([("the film", "is good")]), model.logits(["the film is good"]))
    with pytest.raises(TypeError):
        model.predict("one text")
    vocabulary = model.vocabulary
    assert [vocabulary[i] for i in model.tokenize("the film")] == ["[CLS]", "the", "film", "[SEP]"]
    assert [vocabulary[i] for i in model.tokenize("the", "film")] == ["[CLS]", "the", "[SEP]", "film", "[SEP]"]


def test_checkpoints_are_arrays(models: dict[str, pathlib.Path], tmp_path: pathlib.Path) -> None:
    found = espalier.read(models["int4"])
    name = "bert.encoder.layer.0.output.dense.weight"
    weight, integers, scales, kept = found.weights[name], found.integers[name], found.scales[name], found.masks[name]
    assert weight.shape == (8, 12) and integers.dtype == np.int8 and kept.dtype == bool and not weight.flags.writeable
    assert np.array_equal(weight, integers * scales[:, None]) and not weight[~kept].any() and kept.mean() < 0.4
    assert found.vocabulary[2] == "[CLS]" and found.config["hidden_size"] == 8 and found.tokenizer["lowercase"]
    assert found.options["quantize"]["bits"] == 4 and found.labels == ["negative", "neutral", "positive"]
    weights = espalier.read(models["h5"]).weights
    espalier.convert(models["h5"], tmp_path / "directory")
    espalier.convert(tmp_path / "directory", tmp_path / "again.h5")
    again = espalier.read(tmp_path / "again.h5").weights
    assert weights.keys() == again.keys() and all(np.array_equal(weights[n], again[n]) for n in weights)


def test_errors_are_exceptions(tmp_path: pathlib.Path) -> None:
    with pytest.raises(espalier.Error, match="nowhere.*no such file") as error:
        espalier.open("nowhere")
    assert isinstance(error.value, ValueError) and "\n" not in str(error.value)
    with pytest.raises(espalier.Error, match="precision f16: choose"):
        espalier.open("random:tiny", precision="f16")
    with pytest.raises(espalier.Error, match="format pdf: choose h5, hf, edge or onnx"):
        espalier.convert("random:tiny", tmp_path / "x", format="pdf")
    (tmp_path / "bad.h5").write_bytes(b"no HDF5")
    with pytest.raises(espalier.Error, match="bad.h5"):
        espalier.read(tmp_path / "bad.h5")


def test_threads_share_a_model_and_the_gil_is_free(models: dict[str, pathlib.Path]) -> None:
    model, results = espalier.open(models["h5"]), {}
    threads = [threading.Thread(target=lambda i=i: results.update({i: model.logits(TEXTS * 50)})) for i in range(4)]
    threads += [threading.Thread(target=lambda: espalier.read(models["h5"]).weights)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(np.array_equal(results[i], results[0]) for i in results)
