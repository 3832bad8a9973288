from django.db import migrations, models

import digits_site.accounts.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accesstoken",
            name="scopes",
            field=models.JSONField(
                default=list,
                help_text="train, stop, activate, review",
                validators=[digits_site.accounts.models.validate_scopes],
            ),
        ),
    ]
