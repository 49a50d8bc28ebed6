"""What a Weaviate is asked to find out whether the fake is like it, part by part and in this order."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from weaviate.classes.aggregate import Metrics
from weaviate.classes.config import Configure, DataType, Property, StopwordsPreset, Tokenization
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter, MetadataQuery, Sort

NAME = "Likeness"
_SCORED = MetadataQuery(score=True, distance=True)

Told = dict[str, Any]


def by(name: str) -> Any:
    return Filter.by_property(name)


def id_of(i: int) -> str:
    return str(uuid.UUID(int=i))


def schema(client: Any) -> Told:
    field, text = Tokenization.FIELD, DataType.TEXT
    properties = [
        Property(name="source", data_type=text, tokenization=field, index_searchable=False),
        Property(name="tags", data_type=DataType.TEXT_ARRAY, tokenization=field, index_searchable=False),
        Property(name="word", data_type=text, tokenization=Tokenization.WORD),
        Property(name="lower", data_type=text, tokenization=Tokenization.LOWERCASE),
        Property(name="terms", data_type=text, tokenization=Tokenization.WHITESPACE, index_filterable=False),
        Property(name="text", data_type=text, index_filterable=False, index_searchable=False),
        Property(name="stamp", data_type=DataType.INT, index_range_filters=True),
        Property(name="ordinal", data_type=DataType.INT),
        Property(name="embedded", data_type=DataType.BOOL),
    ]

    def create(name: str = NAME) -> Any:
        client.collections.create(
            name,
            description="whose it is",
            properties=properties,
            vector_config=Configure.Vectors.self_provided(
                vector_index_config=Configure.VectorIndex.hnsw(quantizer=Configure.VectorIndex.Quantizer.rq(bits=8))
            ),
            inverted_index_config=Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
        )
        return client.collections.get(name).config.get().to_dict()

    return {
        "is not there": lambda: client.collections.exists(NAME),
        "is deleted although it is not there": lambda: client.collections.delete(NAME),
        "is told back as it was made": create,
        "is not made twice": create,
        "is made beside another": lambda: len(create(f"{NAME}Other")),
        "is there": lambda: client.collections.exists(NAME),
        "is described anew": lambda: client.collections.get(NAME).config.update(description="somebody else's"),
        "tells the new description": lambda: client.collections.get(NAME).config.get(simple=True).description,
    }


def words(client: Any) -> Told:
    """Ids whose order is not that of insertion; ties come by id, and what is beyond the limit goes by age."""
    objects = client.collections.get(NAME)

    def find(query: str, prop: str = "terms", **more: Any) -> Callable[[], Any]:
        def ask() -> Any:
            found = objects.query.bm25(
                query, query_properties=[prop], return_metadata=_SCORED, return_properties=["text"], **more
            )
            return [(one.uuid.int, one.metadata.score, one.metadata.distance, one.properties) for one in found.objects]

        return ask

    return {
        "are put": lambda: [_put(objects, [i], _object(i)) for i in (5, 1, 3, 2, 4, 6)],
        "one": find("a"),
        "said twice": find("a a b"),
        "rare": find("rare a"),
        "in capitals": find("A"),
        "within a filter": find("a", filters=by("tags").contains_any(["kb-03"])),
        "up to a limit": find("b", limit=3),
        "all alike": find("b"),
        "boosted": find("a", "terms^2", limit=1),
        "unknown": find("nothing"),
        "none": find(""),
        "only spaces apart": find("a\tb\u00a0rare"),
        "of a property of words": find("BROWN über 3", "word", limit=2),
        "of a property of lowercase": find("quick, fox", "lower", limit=2),
        "of a property that is not searchable": find("a", "source"),
        "of no property": find("a", "nope"),
    }


def _object(i: int) -> Told:
    return {
        "source": "wiki" if i % 2 else "wiki-archive",
        "tags": ["kb-03", "x y"] if i < 4 else ["kb-03-archive"],
        "word": "The quick Brown-fox's kb-03 über 3.14",
        "lower": "The Quick, brown  FOX",
        "terms": " ".join(["a"] * i + ["b c"] + ["rare"] * (i == 2)),
        "text": f"T{i}",
        "stamp": 10 * i,
        "ordinal": i,
        "embedded": i < 5,
    }


def _put(objects: Any, ids: Iterable[int], properties: Told, vector: Any = None) -> Any:
    """What became of objects that are alike but for their ids: those refused, with what was said."""
    default = next(iter(ids))
    made = vector if vector is not None or default > 4 else {"default": [1.0, float(default), 0.0, 0.0]}
    answer = objects.data.insert_many([DataObject(uuid=id_of(i), properties=properties, vector=made) for i in ids])
    return [(position, error.message) for position, error in sorted(answer.errors.items())]


def vectors(client: Any) -> Told:
    objects = client.collections.get(NAME)

    def find(vector: list[float], **more: Any) -> Callable[[], Any]:
        def ask() -> Any:
            found = objects.query.near_vector(
                vector, return_metadata=_SCORED, return_properties=[], include_vector=True, **more
            )
            return [(one.uuid.int, one.metadata.distance, one.metadata.score, one.vector) for one in found.objects]

        return ask

    return {
        "near": find([1.0, 1.0, 0.0, 0.0]),
        "of another length": find([2.0, 3.0, 0.0, 0.0], limit=1),
        "by id": find([1.0, 1.0, 0.0, 0.0], filters=Filter.by_id().contains_any([id_of(i) for i in (1, 5, 77)])),
        "within a distance": find([1.0, 1.0, 0.0, 0.0], distance=0.1),
        "of no name": find([1.0, 1.0, 0.0, 0.0], target_vector="nope"),
    }


def _ids(objects: Any, filters: Any = None, **more: Any) -> Callable[[], Any]:
    def ask() -> Any:
        found = objects.query.fetch_objects(filters=filters, return_properties=[], **more)
        return [one.uuid.int for one in found.objects]

    return ask


def filters(client: Any) -> Told:
    objects = client.collections.get(NAME)
    asked = {
        "equal": by("source").equal("wiki"),
        "equal to a part": by("source").equal("wiki-arch"),
        "equal in capitals": by("source").equal("WIKI"),
        "equal to one of a list": by("tags").equal("kb-03"),
        "equal with a space": by("tags").equal(" x y "),
        "equal to words": by("word").equal("KB-03 brown"),
        "any of these words": by("word").contains_any(["nope kb", "zzz"]),
        "any": by("tags").contains_any(["kb-03-archive", "nope"]),
        "all": by("tags").contains_all(["kb-03", "x y"]),
        "none": by("tags").contains_none(["kb-03"]),
        "not equal": by("source").not_equal("wiki"),
        "not": Filter.not_(by("embedded").equal(False)),
        "a range": by("stamp").greater_or_equal(20) & by("stamp").less_than(50),
        "a range of what has no index for it": by("ordinal").greater_than(2),
        "either": by("stamp").less_or_equal(10) | by("stamp").greater_than(50),
        "true": by("embedded").equal(True),
        "numbers": by("ordinal").contains_any([1, 4, 9]),
        "an id": Filter.by_id().equal(id_of(3)),
        "not an id": Filter.by_id().not_equal(id_of(3)),
        "like": by("source").like("wiki-*"),
        "of searchable terms": by("terms").equal("rare"),
        "of what has no index": by("text").equal("T1"),
        "of no property": by("nope").equal("T1"),
        "of another type": by("stamp").equal("x"),
    }
    return {name: lambda f=f: sorted(_ids(objects, f)()) for name, f in asked.items()}


def pages(client: Any) -> Told:
    objects = client.collections.get(NAME)
    wiki = by("source").equal("wiki")
    return {
        "come by id": _ids(objects),
        "have a limit": _ids(objects, limit=2),
        "go on after an id": _ids(objects, limit=2, after=id_of(2)),
        "do not go on in a filter": _ids(objects, wiki, limit=2, after=id_of(2)),
        "begin later": _ids(objects, limit=2, offset=3),
        "are sorted": _ids(objects, sort=Sort.by_property("stamp", ascending=False)),
        "are sorted in a filter": _ids(objects, wiki, sort=Sort.by_property("stamp", ascending=False), limit=2),
        "are limited": _ids(objects, limit=10_001),
        "are limited in a filter": _ids(objects, wiki, limit=6_000, offset=4_001),
        "are limited for words": lambda: objects.query.bm25("a", query_properties=["terms"], limit=10_001),
        "are limited for vectors": lambda: objects.query.near_vector([1.0, 1.0, 0.0, 0.0], limit=10_001),
        "tell all": lambda: objects.query.fetch_object_by_id(id_of(2), include_vector=True).properties,
        "tell nothing of what is not there": lambda: objects.query.fetch_object_by_id(id_of(99)),
        "are iterated": lambda: [one.uuid.int for one in objects.iterator(return_properties=[], cache_size=2)],
        "tell no unknown property": lambda: objects.query.fetch_objects(return_properties=["nope"]),
    }


def refusals(client: Any) -> Told:
    objects, nowhere = client.collections.get(NAME), client.collections.get("Nowhere")
    return {
        "unknown property": lambda: _mixed(objects, {"nope": "x"}),
        "wrong type": lambda: _mixed(objects, {"stamp": "x"}),
        "half a number": lambda: _mixed(objects, {"stamp": 1.5}),
        "wrong length": lambda: _mixed(objects, {"text": "x"}, {"default": [1.0, 2.0]}),
        "unknown vector": lambda: _mixed(objects, {"text": "x"}, {"other": [1.0, 2.0, 0.0, 0.0]}),
        "all": lambda: _put(objects, [7], {"nope": "x"}),
        "search nowhere": lambda: nowhere.query.fetch_objects(limit=1),
        "put nowhere": lambda: _put(nowhere, [7], {"text": "x"}),
        "delete nowhere": lambda: nowhere.data.delete_many(where=by("a").equal("b")),
        "sum nowhere": lambda: nowhere.aggregate.over_all(total_count=True),
        "left the rest": _ids(objects),
    }


def _mixed(objects: Any, properties: Told, vector: Any = None) -> Any:
    good = DataObject(uuid=id_of(6), properties=_object(6))
    answer = objects.data.insert_many([good, DataObject(uuid=id_of(7), properties=properties, vector=vector)])
    return [(position, error.message) for position, error in answer.errors.items()]


def changes(client: Any) -> Told:
    objects = client.collections.get(NAME)

    def scores(query: str) -> Callable[[], Any]:
        def ask() -> Any:
            found = objects.query.bm25(query, query_properties=["terms"], return_metadata=_SCORED)
            return [(one.uuid.int, one.metadata.score) for one in found.objects]

        return ask

    def tell(i: int) -> Callable[[], Any]:
        return lambda: (
            objects.query.fetch_object_by_id(id_of(i), return_properties=["text", "stamp", "tags"]).properties
        )

    return {
        "a vector goes when it is not put again": lambda: _put(objects, [4], _object(4), {}),
        "and is not found": lambda: sorted(
            one.uuid.int for one in objects.query.near_vector([1.0, 1.0, 0.0, 0.0]).objects
        ),
        "words are replaced": lambda: _put(objects, [3], {"terms": "zz zz"}),
        "and are found": scores("zz"),
        "the others are worth more": scores("b"),
        "words are replaced without a vector": lambda: _put(objects, [6], {"terms": "yy yy yy yy", "source": "w"}),
        "and count": scores("yy b"),
        "nothing is kept of null": lambda: _put(objects, [8], {"text": None, "stamp": None, "tags": []}),
        "and nothing is told": tell(8),
        "the last of two with one id stays": lambda: [
            len(objects.data.insert_many([DataObject(uuid=id_of(9), properties={"text": t}) for t in "xy"]).errors),
            tell(9)(),
        ],
    }


def sums(client: Any) -> Told:
    objects = client.collections.get(NAME)

    def over(filters: Any = None, metrics: Any = None) -> Callable[[], Any]:
        def ask() -> Any:
            found = objects.aggregate.over_all(filters=filters, total_count=True, return_metrics=metrics)
            return [found.total_count, {name: vars(one) for name, one in sorted(found.properties.items())}]

        return ask

    numbers = Metrics("stamp").integer(count=True, sum_=True, minimum=True, maximum=True)
    return {
        "all": over(),
        "of numbers": over(metrics=[numbers, Metrics("embedded").boolean(total_true=True)]),
        "in a filter": over(by("source").equal("wiki"), [numbers]),
        "of nothing": over(by("source").equal("nowhere"), [Metrics("stamp").integer(sum_=True)]),
        "of no property": over(metrics=[Metrics("nope").integer(sum_=True)]),
    }


def deletions(client: Any) -> Told:
    objects = client.collections.get(NAME)

    def delete(where: Any, **more: Any) -> Callable[[], Any]:
        def ask() -> Any:
            answer = objects.data.delete_many(where=where, **more)
            named = sorted((one.uuid.int, one.successful, one.error) for one in answer.objects or [])
            return [answer.matches, answer.successful, answer.failed, named]

        return ask

    return {
        "rehearsed": delete(by("source").equal("wiki"), dry_run=True),
        "named": delete(by("source").equal("wiki-archive"), verbose=True),
        "again": delete(by("source").equal("wiki-archive")),
        "by id": delete(Filter.by_id().contains_any([id_of(1), id_of(8), id_of(99)])),
        "of what has no index": delete(by("text").equal("x")),
        "leave the rest": _ids(objects),
    }


def aliases(client: Any) -> Told:
    live, alias = f"{NAME}Live", client.alias

    def told(name: str) -> Any:
        found = alias.get(alias_name=name)
        return found and found.collection

    return {
        "are not there": lambda: told(live),
        "point to nothing": lambda: alias.create(alias_name=live, target_collection="Nowhere"),
        "are made": lambda: alias.create(alias_name=live, target_collection=NAME),
        "are not made twice": lambda: alias.create(alias_name=live, target_collection=NAME),
        "are no collection's name": lambda: alias.create(alias_name=f"{NAME}Other", target_collection=NAME),
        "name no collection": lambda: client.collections.create(live).name,
        "are told": lambda: told(live),
        "are searched": _ids(client.collections.get(live)),
        "are there as a collection": lambda: client.collections.exists(live),
        "point elsewhere": lambda: [alias.update(alias_name=live, new_target_collection=f"{NAME}Other"), told(live)],
        "of no name point nowhere": lambda: alias.update(alias_name=f"{NAME}Dead", new_target_collection=NAME),
        "outlive what they point to": lambda: [client.collections.delete(f"{NAME}Other"), told(live)],
        "are searched in vain": _ids(client.collections.get(live)),
        "are deleted": lambda: alias.delete(alias_name=live),
        "are deleted once": lambda: alias.delete(alias_name=live),
    }


PARTS = (schema, words, vectors, filters, pages, refusals, changes, sums, deletions, aliases)
