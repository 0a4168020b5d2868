"""SQLAlchemy over PyMySQL: the ORM, reflection, pools, savepoints."""

import datetime
import decimal

import sqlalchemy as sa
from sqlalchemy import orm

import harness
from harness import case

URL = sa.URL.create("mysql+pymysql", harness.USER, harness.PASSWORD, harness.HOST, harness.PORT,
                    harness.DATABASE, {"charset": "utf8mb4"})


class Base(orm.DeclarativeBase):
    """The tables."""


class Author(Base):
    """With everything that a column can be."""

    __tablename__ = "authors"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(50), unique=True)
    born: orm.Mapped[datetime.date | None]
    paid: orm.Mapped[decimal.Decimal | None] = orm.mapped_column(sa.Numeric(12, 2))
    notes: orm.Mapped[dict | None] = orm.mapped_column(sa.JSON)
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author", cascade="all")


class Book(Base):
    """Of an author."""

    __tablename__ = "books"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str] = orm.mapped_column(sa.String(80), index=True)
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("authors.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


def engine(**options):
    return sa.create_engine(URL, **options)


def fresh():
    admin = sa.create_engine(URL.set(database=None), poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {harness.DATABASE}")
        connection.exec_driver_sql(f"CREATE DATABASE {harness.DATABASE} CHARACTER SET utf8mb4")


harness.FRESH.append(fresh)


def error(log, label, raised):
    origin = getattr(raised, "orig", None)
    log.see(label, type(raised).__name__, *(origin.args if origin else [str(raised)]))


@case
def objects_are_kept_and_found(log):
    one = engine()
    Base.metadata.create_all(one)
    with orm.Session(one) as session:
        for number in range(20):
            author = Author(name=f"author {number}", born=datetime.date(1900 + number, 1, 2),
                            paid=decimal.Decimal("10.50") * number, notes={"n": [number, None]})
            author.books = [Book(title=f"book {number}.{k}") for k in range(3)]
            session.add(author)
        session.commit()
        log.see("first", session.get(Author, 1).name, session.get(Author, 1).notes)
        found = session.scalars(sa.select(Author).where(Author.paid > 100).order_by(Author.id)).all()
        log.see("paid", [(author.name, author.paid, author.born) for author in found])
        log.see("joined", [tuple(row) for row in session.execute(
            sa.select(Author.name, sa.func.count(Book.id)).join(Book).group_by(Author.id)
            .order_by(Author.id).limit(3))])
        session.delete(session.get(Author, 2))
        session.execute(sa.update(Book).where(Book.author_id == 3).values(title="changed"))
        session.commit()
        log.see("left", session.scalar(sa.select(sa.func.count(Book.id))))
    with orm.Session(one) as session:
        session.add(Author(name="author 1"))
        try:
            session.commit()
        except sa.exc.IntegrityError as raised:
            error(log, "duplicate", raised)
            session.rollback()
        with session.begin_nested():
            session.add(Author(name="in a savepoint"))
        try:
            with session.begin_nested():
                session.add(Author(name="author 5"))
        except sa.exc.IntegrityError as raised:
            error(log, "nested", raised)
        session.commit()
        log.see("kept", session.scalar(sa.select(Author.name).where(Author.name.like("in%"))))
    one.dispose()


@case
def schemas_are_reflected(log):
    one = engine()
    Base.metadata.create_all(one)
    inspector = sa.inspect(one)
    for table in inspector.get_table_names():
        log.see(table, [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)])
        log.see("keys", inspector.get_pk_constraint(table), inspector.get_foreign_keys(table))
        log.see("indexes", inspector.get_indexes(table), inspector.get_unique_constraints(table))
    log.see("version", one.dialect.server_version_info, one.dialect.default_schema_name)
    Base.metadata.drop_all(one)
    log.see("gone", sa.inspect(one).get_table_names())
    one.dispose()


@case
def pools_and_levels(log):
    one = engine(pool_size=3, pool_pre_ping=True, pool_recycle=1)
    for level in ("AUTOCOMMIT", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        with one.connect().execution_options(isolation_level=level) as connection:
            log.see(level, connection.get_isolation_level(),
                    connection.exec_driver_sql("SELECT @@autocommit").scalar())
    with one.connect() as connection:
        log.see("default", connection.get_isolation_level())
    one.dispose()


@case
def rows_are_streamed_and_inserted_in_bulk(log):
    one = engine()
    table = sa.Table("bulk", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
                     sa.Column("v", sa.String(20)))
    table.create(one)
    with one.begin() as connection:
        connection.execute(table.insert(), [{"v": f"v{n}"} for n in range(5000)])
    with one.connect() as connection:
        result = connection.execution_options(stream_results=True).execute(
            sa.select(table).order_by(table.c.id))
        log.see("rows", sum(1 for _ in result))
        log.see("stored", connection.scalar(sa.select(sa.func.max(table.c.v))))
    one.dispose()


if __name__ == "__main__":
    harness.main()
