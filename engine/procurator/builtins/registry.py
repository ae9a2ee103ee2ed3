"""All built-in functions by name; a family is imported when one of its functions is first used."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from importlib import import_module
from typing import Final

from procurator.builtins.operands import BuiltinError
from procurator.values import DepthError, Value

Function = Callable[..., Value]

FAMILIES: Final[Mapping[str, str]] = {
    "aggregates": "all any count internal.member_2 internal.member_3 max min product sort sum",
    "arithmetic": (
        "abs bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil div equal floor gt gte lt lte "
        "minus mul neq numbers.range numbers.range_step plus rem round"
    ),
    "arrays": "array.concat array.flatten array.reverse array.slice",
    "aws": "providers.aws.sign_req",
    "cidr": (
        "net.cidr_contains net.cidr_contains_matches net.cidr_expand net.cidr_intersects net.cidr_is_valid "
        "net.cidr_merge net.cidr_overlap"
    ),
    "clock": "time.now_ns",
    "crypto": (
        "crypto.hmac.equal crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512 crypto.md5 "
        "crypto.sha1 crypto.sha256"
    ),
    "encoding": (
        "base64.decode base64.encode base64.is_valid base64url.decode base64url.encode "
        "base64url.encode_no_pad hex.decode hex.encode urlquery.decode urlquery.decode_object "
        "urlquery.encode urlquery.encode_object"
    ),
    "glob": "glob.match glob.quote_meta",
    "graph": "graph.reachable graph.reachable_paths walk",
    "graphql": (
        "graphql.is_valid graphql.parse graphql.parse_and_verify graphql.parse_query graphql.parse_schema "
        "graphql.schema_is_valid"
    ),
    "interpolation": "internal.template_string",
    "json_patch": "json.patch",
    "json_paths": "json.filter json.remove",
    "json_schema": "json.match_schema json.verify_schema",
    "json_text": "json.is_valid json.marshal json.marshal_with_options json.unmarshal",
    "jwt": (
        "io.jwt.decode io.jwt.decode_verify io.jwt.encode_sign io.jwt.encode_sign_raw io.jwt.verify_eddsa "
        "io.jwt.verify_es256 io.jwt.verify_es384 io.jwt.verify_es512 io.jwt.verify_hs256 io.jwt.verify_hs384 "
        "io.jwt.verify_hs512 io.jwt.verify_ps256 io.jwt.verify_ps384 io.jwt.verify_ps512 io.jwt.verify_rs256 "
        "io.jwt.verify_rs384 io.jwt.verify_rs512"
    ),
    "language": "assign eq internal.test_case rego.parse_module trace",
    "network": "http.send net.lookup_ip_addr",
    "objects": "object.filter object.get object.keys object.remove object.subset object.union object.union_n",
    "process": "opa.runtime",
    "random": "rand.intn uuid.rfc4122",
    "regex": (
        "re_match regex.find_all_string_submatch_n regex.find_n regex.globs_match regex.is_valid regex.match "
        "regex.replace regex.split regex.template_match"
    ),
    "semver": "semver.compare semver.is_valid",
    "sets": "and intersection or set_diff union",
    "sprintf": "sprintf",
    "strings": (
        "concat contains endswith format_int indexof indexof_n lower replace split startswith "
        "strings.any_prefix_match strings.any_suffix_match strings.count strings.replace_n strings.reverse "
        "strings.split_n substring trim trim_left trim_prefix trim_right trim_space trim_suffix upper"
    ),
    "templates": "strings.render_template",
    "time": (
        "time.add_date time.clock time.date time.diff time.format time.parse_duration_ns time.parse_ns "
        "time.parse_rfc3339_ns time.weekday"
    ),
    "types": (
        "cast_array cast_boolean cast_null cast_object cast_set cast_string is_array is_boolean is_null "
        "is_number is_object is_set is_string to_number type_name"
    ),
    "units": "units.parse units.parse_bytes",
    "uri": "uri.is_valid uri.parse",
    "uuid": "uuid.parse",
    "x509": (
        "crypto.parse_private_keys crypto.x509.parse_and_verify_certificates "
        "crypto.x509.parse_and_verify_certificates_with_options crypto.x509.parse_certificate_request "
        "crypto.x509.parse_certificates crypto.x509.parse_keypair crypto.x509.parse_rsa_private_key"
    ),
    "yaml_text": "yaml.is_valid yaml.marshal yaml.unmarshal",
}
"""The functions of each family: the module of that name here has them in its table."""

CONTEXTUAL: Final = frozenset(
    {
        "crypto.x509.parse_and_verify_certificates",
        "crypto.x509.parse_and_verify_certificates_with_options",
        "http.send",
        "io.jwt.decode_verify",
        "io.jwt.encode_sign",
        "io.jwt.encode_sign_raw",
        "net.lookup_ip_addr",
        "opa.runtime",
        "rand.intn",
        "time.now_ns",
        "trace",
        "uuid.rfc4122",
    }
)
"""The functions that take the evaluation before their operands."""

ONCE: Final = frozenset({"http.send", "net.lookup_ip_addr", "trace"})
"""The functions whose calls can be seen from outside, so that no evaluation that made one may begin again."""

_FAMILY_OF: Final = {name: family for family, names in FAMILIES.items() for name in names.split()}


class Functions(Mapping[str, Function]):
    """The built-ins and a user's own functions, which come first."""

    def __init__(self, own: Mapping[str, Function]) -> None:
        self._own = {name: _with_errors(function) for name, function in own.items()}

    def __getitem__(self, name: str) -> Function:
        found = self._own.get(name)
        return found if found is not None else builtin(name)

    def __iter__(self) -> Iterator[str]:
        return iter({**_FAMILY_OF, **self._own})

    def __len__(self) -> int:
        return len({**_FAMILY_OF, **self._own})


def _with_errors(function: Function) -> Function:
    """A user's own function, whose ValueError means what a built-in's error means."""

    @wraps(function)
    def call(*args: Value) -> Value:
        try:
            return function(*args)
        except DepthError:
            raise  # how deep the stack is already must not decide between undefined and a value
        except ValueError as error:
            raise BuiltinError(str(error)) from error

    return call


def builtin(name: str) -> Function:
    """A built-in function; KeyError for a name that is none."""
    family = import_module(f"{__package__}.{_FAMILY_OF[name]}")
    table: Mapping[str, Function] = family.CONTEXT_TABLE if name in CONTEXTUAL else family.TABLE
    return table[name]
