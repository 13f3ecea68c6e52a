"""IEMOCAP: five sessions of eight utterances in the official layout with GCNet's features, and every planted defect.

`make_pickle`, `make_lists` and `make_frames` add what other settings read; `make_mmin` is MMIN's layout.
"""

import io
import pickle
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
from raw_media import jpeg_bytes, wav_bytes

SESSIONS = range(1, 6)
CODES = ("hap", "exc", "sad", "neu", "ang", "neu", "sad", "ang")
CLASS_NUMBERS = (0, 0, 1, 2, 3, 2, 1, 3)
UTTERANCES = {s: [f"Ses0{s}F_impro01_{'FM'[i % 2]}{i:03d}" for i in range(len(CODES))] for s in SESSIONS}
COLON = "Well: I said [LAUGHTER]: no."

PARAMS: dict[str, object] = {}
SIZES = {"train": 23, "val": 8, "test": 8}
PLANTED = {
    "apple_double": {"IEMOCAP_full_release/Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt"},
    "missing_file": {"features/wav2vec-large-c-UTT/Ses03F_impro01_F002.npy"},
    "no_face": {"Ses04F_impro01_M001", "features/manet_UTT/Ses05F_impro01_F000.npy"},
    "unknown_label": {
        "Ses05F_impro01_F006",
        "IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:4",
    },
    "unreadable_array": {"features/deberta-large-4-UTT/Ses03F_impro01_M003.npy"},
}
PLANTED_IN_TEXTS = {
    "missing_file": ["IEMOCAP_full_release/Session2/dialog/transcriptions/Ses02F_impro02.txt"],
    "dup_id": ["IEMOCAP_full_release/Session1/dialog/transcriptions/Ses01F_impro01.txt: Ses01F_impro01_F000"],
}


def make_raw(root: Path) -> None:
    for session in SESSIONS:
        _make_session(root / "IEMOCAP_full_release" / f"Session{session}", session)
        for place, name in enumerate(UTTERANCES[session]):
            _make_features(root / "features", name, 10 * session + place)
    base = root / "IEMOCAP_full_release"
    (base / "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt").write_bytes(b"Mac")
    (base / "Session2/dialog/EmoEvaluation/Ses02F_impro02.txt").write_text("% nobody agrees on anything here\n")
    (root / "features/wav2vec-large-c-UTT/Ses03F_impro01_F002.npy").unlink()
    (root / "features/deberta-large-4-UTT/Ses03F_impro01_M003.npy").write_bytes(b"\x93NUMPY, cut")
    _save(root / "features/manet_UTT/Ses05F_impro01_F000.npy", np.zeros(1024))


def make_pickle(root: Path) -> None:
    """GCNet's list of six, as pickle protocol 2."""
    dialogs = {f"Ses0{s}F_impro01": s for s in SESSIONS}
    parts = [
        {dialog: UTTERANCES[s] for dialog, s in dialogs.items()},
        {dialog: [np.int64(number) for number in CLASS_NUMBERS] for dialog in dialogs},
        {dialog: [name.rpartition("_")[2][0] for name in UTTERANCES[s]] for dialog, s in dialogs.items()},
        {dialog: [f"sentence of {name}" for name in UTTERANCES[s]] for dialog, s in dialogs.items()},
        set(list(dialogs)[:4]),
        set(list(dialogs)[4:]),
    ]
    (root / "IEMOCAP_features_raw_4way.pkl").write_bytes(pickle.dumps(parts, protocol=2))


def make_lists(root: Path) -> None:
    """MLA's lists: every session in every split."""
    labels = ("Happy", "Sad", "Neutral", "Angry")
    for split, places in {"train": range(4), "val": range(4, 6), "test": range(6, 8)}.items():
        rows = [(UTTERANCES[s][p], labels[CLASS_NUMBERS[p]]) for s in SESSIONS for p in places]
        text = "".join(f"{name}.mp4 [split|sign] text of {name} [split|sign] {label}\n" for name, label in rows)
        (root / f"{split}.txt").write_text(text)


def make_frames(root: Path) -> None:
    """Three face crops per clip, none of Ses01's first."""
    for session in SESSIONS:
        for place, name in enumerate(UTTERANCES[session]):
            (root / "frames" / name).mkdir(parents=True)
            for frame in range(3 if session > 1 or place else 0):
                (root / "frames" / name / f"{frame}.jpg").write_bytes(jpeg_bytes(100 * session + 10 * place + frame))


MMIN_COLUMNS = ("angry", "happy", "neutral", "sad")
MMIN_SEQUENCES = {"A/comparE.h5": 130, "L/bert_large.h5": 1024, "V/denseface.h5": 342}
SILENT, TWO_EMOTIONS, FACELESS, NARROW, NO_FRAMES = (UTTERANCES[session][2] for session in SESSIONS)
FILLED_UP = UTTERANCES[2][0]


def make_mmin(root: Path) -> None:
    """All ten folds: one speaker tests, the other of the session validates, the rest trains."""
    names = [name for session in SESSIONS for name in UTTERANCES[session]]
    root.mkdir(parents=True, exist_ok=True)
    for path, width in MMIN_SEQUENCES.items():
        (root / path).parent.mkdir()
        with h5py.File(root / path, "w") as file:
            for place, name in enumerate(names):
                file[name] = mmin_sequence(path, width, name, place)
    with h5py.File(root / "V/denseface.h5", "a") as file:
        del file[NO_FRAMES]
    with h5py.File(root / "A/comparE_mean_std.h5", "w") as file:
        for fold in range(1, 11):
            file[f"{fold}/mean"] = np.full(130, fold, np.float64)
            file[f"{fold}/std"] = np.full(130, 2.0 * fold)
            _make_fold(root / "target" / str(fold), fold)
    (root / "A" / "._comparE.h5").write_bytes(b"Mac")


def mmin_sequence(path: str, width: int, name: str, place: int) -> np.ndarray:
    """Frames of one utterance, filled up with zeros where FILLED_UP is spoken."""
    frames = np.random.default_rng([place, width]).normal(size=(2 + place % 3, width)).astype(np.float32)
    if (path[0], name) in {("A", SILENT), ("V", FACELESS)}:
        frames = np.zeros((1, width))
    if (path[0], name) == ("L", NARROW):
        frames = frames[:, 1:]
    return np.concatenate([frames, np.zeros((4, width))]) if name == FILLED_UP else frames


def save_mmin_part(folder: Path, part: str, names: list[str], labels: list[str]) -> None:
    """Labels as rows with a single one, ids as bytes, one a row."""
    rows = np.array([[float(column == label) for column in MMIN_COLUMNS] for label in labels])
    rows[[name == TWO_EMOTIONS for name in names]] = 1
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{part}_label.npy", rows)
    np.save(folder / f"{part}_int2name.npy", np.array([[name.encode()] for name in names]))


def _make_fold(folder: Path, fold: int) -> None:
    labels = ("happy", "sad", "neutral", "angry")
    session, tested = (fold + 1) // 2, "FM"[fold % 2]
    parts: dict[str, list[tuple[str, str]]] = {"trn": [], "val": [], "tst": []}
    for other in SESSIONS:
        for place, name in enumerate(UTTERANCES[other]):
            held_out = "tst" if name.rpartition("_")[2][0] == tested else "val"
            parts[held_out if other == session else "trn"].append((name, labels[CLASS_NUMBERS[place]]))
    for part, rows in parts.items():
        save_mmin_part(folder, part, [name for name, _ in rows], [label for _, label in rows])


OTHER_LAYOUTS = {
    "mmin": SimpleNamespace(
        PARAMS={"features": "mmin", "split": "mmin", "fold": 3},
        SIZES={"train": 32, "val": 3, "test": 4},
        PLANTED={
            "apple_double": {"A/._comparE.h5"},
            "missing_file": {f"V/denseface.h5/{NO_FRAMES}"},
            "no_face": {f"V/denseface.h5/{FACELESS}"},
            "silent_audio": {f"A/comparE.h5/{SILENT}"},
            "unknown_label": {TWO_EMOTIONS},
            "unreadable_array": {f"L/bert_large.h5/{NARROW}"},
        },
        make_raw=make_mmin,
    )
}


def _make_session(folder: Path, session: int) -> None:
    dialog = f"Ses0{session}F_impro01"
    for name in ("EmoEvaluation/Categorical", "transcriptions"):
        (folder / "dialog" / name).mkdir(parents=True)
    (folder / "dialog/EmoEvaluation/Categorical" / f"{dialog}_e1_cat.txt").write_text("not read\n")
    names = UTTERANCES[session]
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", "", _evaluation(f"{dialog}_M099", "xxx")]
    lines += ["[cut line"] if session == 1 else []
    for place, name in enumerate(names):
        code = "zzz" if name == "Ses05F_impro01_F006" else CODES[place]
        lines += [_evaluation(name, code), "C-E1:\tNeutral;\t()", "A-E2:\tval 3; act 2; dom  2;\t()", ""]
    (folder / "dialog/EmoEvaluation" / f"{dialog}.txt").write_text("\r\n".join(lines))
    said = [f"{name} [006.2901-008.2357]: sentence of {name}" for name in names]
    if session == 1:
        said[0] = f"{names[0]} [006.2901-008.2357]: {COLON}"
        said.append(f"{names[0]} [009.0000-009.5000]: again")
        said.pop(1)
    (folder / "dialog/transcriptions" / f"{dialog}.txt").write_text("\n".join([*said, "M: (they sit down)"]))
    wavs = folder / "sentences/wav" / dialog
    wavs.mkdir(parents=True)
    for place, name in enumerate(names):
        (wavs / f"{name}.wav").write_bytes(wav_bytes(10 * session + place, seconds=0.2 if place == 7 else 0.7))


def _evaluation(name: str, code: str) -> str:
    return f"[6.2901 - 7.1901]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]"


def _make_features(folder: Path, name: str, seed: int) -> None:
    draws = np.random.default_rng(seed)
    _save(folder / "wav2vec-large-c-UTT" / f"{name}.npy", draws.normal(size=512))
    _save(folder / "deberta-large-4-UTT" / f"{name}.npy", draws.normal(size=(1, 1024)))
    if not name.startswith("Ses04"):
        _save(folder / "manet_UTT" / f"{name}.npy", draws.normal(size=(3, 1024)))
        return
    for face in range(3):
        letter = "F" if name == "Ses04F_impro01_M001" or not face else name.rpartition("_")[2][0]
        _save(folder / "manet_UTT" / name / f"{letter}_{face:04d}.npy", draws.normal(size=1024))


def _save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.save(file, values.astype(np.float32))
    path.write_bytes(file.getvalue())
