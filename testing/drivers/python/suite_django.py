"""Django's ORM over PyMySQL: migrations, queries, transactions, as a site uses them."""

import pymysql

import harness
from harness import case

# Django asks for MySQLdb; PyMySQL stands in for it, as its documentation says.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.configure(
    DATABASES={"default": {
        "ENGINE": "django.db.backends.mysql", "NAME": harness.DATABASE, "USER": harness.USER,
        "PASSWORD": harness.PASSWORD, "HOST": harness.HOST, "PORT": harness.PORT,
        "OPTIONS": {"charset": "utf8mb4"}, "CONN_MAX_AGE": 60,
    }},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    SECRET_KEY="for the suites only", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, IntegrityError, connection, models, transaction  # noqa: E402


def fresh():
    connection.close()
    admin = pymysql.connect(host=harness.HOST, port=harness.PORT, user=harness.USER,
                            password=harness.PASSWORD)
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {harness.DATABASE}")
        cursor.execute(f"CREATE DATABASE {harness.DATABASE} CHARACTER SET utf8mb4")
    admin.close()
    call_command("migrate", verbosity=0)


harness.FRESH.append(fresh)


@case
def migrations_leave_their_tables(log):
    log.see("tables", sorted(connection.introspection.table_names()))
    with connection.cursor() as cursor:
        for table in ("auth_user", "django_session"):
            log.see(table, [tuple(c) for c in connection.introspection.get_table_description(cursor, table)])
            log.see("constraints", sorted(connection.introspection.get_constraints(cursor, table)))
    log.see("permissions", Permission.objects.count())
    call_command("migrate", "auth", "0001", verbosity=0)
    log.see("back", sorted(connection.introspection.table_names()))


@case
def users_and_groups(log):
    group = Group.objects.create(name="editors")
    for number in range(30):
        user = User(username=f"user{number}", email=f"u{number}@example.org", password="!")
        user.save()
        if number % 3 == 0:
            user.groups.add(group)
    log.see("in the group", list(group.user_set.order_by("id").values_list("username", flat=True)))
    log.see("counted", list(Group.objects.annotate(n=models.Count("user")).values_list("name", "n")))
    log.see("updated", User.objects.filter(id__gt=20).update(first_name="late é😀"))
    log.see("deleted", User.objects.filter(id__lt=5).delete())
    log.see("made", User.objects.get_or_create(username="user7")[1],
            User.objects.update_or_create(username="user9", defaults={"last_name": "x"})[1])
    made = User.objects.bulk_create([User(username=f"bulk{n}") for n in range(200)], batch_size=50)
    log.see("bulk", len(made), User.objects.count())
    log.see("page", list(User.objects.order_by("-id")[10:13].values_list("username", flat=True)))
    try:
        User(username="user10").save()
    except IntegrityError as error:
        log.see("duplicate", *error.args)


@case
def transactions_and_locks(log):
    try:
        with transaction.atomic():
            Group.objects.create(name="gone")
            raise ValueError
    except ValueError:
        log.see("rolled back", Group.objects.filter(name="gone").exists())
    with transaction.atomic():
        Group.objects.create(name="kept")
        try:
            with transaction.atomic():
                Group.objects.create(name="kept")
        except IntegrityError as error:
            log.see("inner", *error.args)
        log.see("locked", Group.objects.select_for_update().get(name="kept").name)
    log.see("after", list(Group.objects.values_list("name", flat=True)))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM absent")
    except DatabaseError as error:
        log.see("absent", type(error).__name__, *error.args)


@case
def sessions_and_raw_queries(log):
    store = SessionStore()
    store["cart"] = {"items": [1, 2, 3]}
    store.create()
    log.see("session", SessionStore(store.session_key)["cart"])
    store.delete()
    log.see("raw", [u.username for u in User.objects.raw("SELECT * FROM auth_user WHERE id > %s", [0])])
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, %s, %s", [1, "two", None])
        log.see("row", cursor.fetchone())
    connection.close()
    log.see("reconnected", User.objects.count())
    log.see("features", connection.mysql_version, connection.mysql_is_mariadb,
            connection.features.supports_transactions, connection.sql_mode)


if __name__ == "__main__":
    harness.main()
