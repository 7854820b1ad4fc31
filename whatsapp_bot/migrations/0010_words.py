from django.db import migrations

from whatsapp_bot.search import word_index


class Migration(migrations.Migration):
    dependencies = [
        ("whatsapp_bot", "0009_inbox"),
    ]

    operations = [
        word_index("message_words", "whatsapp_bot_message", "body"),
    ]
