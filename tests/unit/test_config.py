"""Settings from TOML and flags."""

import pytest

from ligero import config
from ligero.errors import InputError


def test_flags_come_over_the_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text('student = "ligero-micro"\n[student_fit]\nepochs = 3\nclip = 2\n')
    flags = {("student_fit", "epochs"): "7", ("data", "task"): "mldoc"}
    made = config.build(config.CompressConfig, config.nest(flags, config.read_toml(file)))
    assert made.student == "ligero-micro"
    assert made.student_fit.epochs == 7
    assert made.student_fit.clip == 2.0
    assert made.data.task == "mldoc"
    assert made.teacher_fit == config.FitConfig()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"studnet": "x"}, "studnet.*did you mean student"),
        ({"student_fit": {"epoch": 1}}, "student_fit.*epoch.*did you mean epochs"),
        ({"student_fit": {"epochs": "many"}}, "epochs = 'many'; expected a whole number"),
        ({"student_fit": {"epochs": 1.5}}, "epochs = '1.5'; expected a whole number"),
        ({"student_fit": {"epochs": -1}}, "not negative"),
        ({"student_fit": {"learning_rate": "nan"}}, "expected a number"),
        ({"student_fit": {"learning_rate": True}}, "expected a number"),
        ({"student_fit": {"bucketed": "perhaps"}}, "true or false"),
        ({"student_fit": {"schedule": "step"}}, "one of linear, cosine, constant"),
        ({"student_fit": 3}, "expected a table"),
        ({"student": 3}, "expected text"),
    ],
)
def test_wrong_settings_are_said(table, message):
    with pytest.raises(InputError, match=message):
        config.build(config.CompressConfig, table)


def test_every_setting_has_a_flag_of_its_own_and_help():
    for cls in (config.CompressConfig, config.FinetuneConfig, config.DistillRunConfig):
        options = config.options(cls)
        flags = [config.flag(o) for o in options]
        assert len(set(flags)) == len(flags)
        assert all(o.help for o in options)
    assert "--teacher-fit.learning-rate" in map(config.flag, config.options(config.CompressConfig))
    assert "--learning-rate" in map(config.flag, config.options(config.FinetuneConfig))


def test_identity_holds_what_decides_and_not_what_is_free():
    base = config.CompressConfig()
    moved = config.build(
        config.CompressConfig,
        {"place": {"out": "x", "threads": 1}, "student_fit": {"checkpoint_seconds": 1}},
    )
    other = config.build(config.CompressConfig, {"student_fit": {"epochs": 1}})
    assert config.identity(base) == config.identity(moved)
    assert config.identity(base) != config.identity(other)
