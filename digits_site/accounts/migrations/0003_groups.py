from django.db import migrations

TRAINER = ["training.view_trainingrun", "training.add_trainingrun", "recognition.view_modelversion"]
REVIEWER = ["recognition.view_correction", "recognition.change_correction"]
OPERATOR = [
    *TRAINER,
    *REVIEWER,
    *("recognition.add_activation", "recognition.view_activation"),
    *("training.delete_trainingrun", "recognition.delete_modelversion", "recognition.delete_correction"),
    *("accounts.add_accesstoken", "accounts.view_accesstoken", "accounts.delete_accesstoken"),
    "recognition.view_dailypredictions",
]
GROUPS = {"trainer": TRAINER, "reviewer": REVIEWER, "operator": OPERATOR}


def create_groups(apps, schema_editor):
    """Add the groups once: one that exists, or that is changed or deleted later, stays as its operator wants it.

    Django adds permissions after all migrations, so those that are missing are added here, named as Django names them.
    """
    alias = schema_editor.connection.alias
    manager_of = {name: apps.get_model(*name.split(".")).objects.using(alias) for name in (
        "auth.Group", "auth.Permission", "contenttypes.ContentType"
    )}  # fmt: skip
    for group_name, names in GROUPS.items():
        group, is_new = manager_of["auth.Group"].get_or_create(name=group_name)
        for name in names if is_new else []:
            app, codename = name.split(".")
            action, model = codename.split("_")
            kind, _ = manager_of["contenttypes.ContentType"].get_or_create(app_label=app, model=model)
            label = f"Can {action} {apps.get_model(app, model)._meta.verbose_name}"
            permission, _ = manager_of["auth.Permission"].get_or_create(
                codename=codename, content_type=kind, defaults={"name": label}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_review_scope"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("recognition", "0002_corrections"),
        ("training", "0002_adapt"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
