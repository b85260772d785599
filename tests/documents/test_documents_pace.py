"""PACE against the worked examples of ICAO 9303-11 (appendices G, H, I), at both ends of the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import tlv
from documents.access import CardAccessNumber, Gate, Pace
from documents.access.pace import PaceSession, password_key, preferred, pseudo_random, pseudo_random_bytes
from documents.apdu import AccessRefused, Answer, ChipError, Command
from documents.key_agreement import FiniteGroup, UnsafeKey, private_key, standardised_group
from documents.lds import LdsError
from documents.mrz import MrzKey
from documents.secure_messaging import AES_128, AES_256, SUITES, TRIPLE_DES, CipherSuite
from documents.security_infos import (
    SecurityInfos,
    encode_pace_info,
    encode_security_infos,
    pace_protocol,
    parse_security_infos,
)
from hardware.simulators.card_protocols import ChipRandom, PaceChip


def h(text: str) -> bytes:
    return bytes.fromhex(text)


# ------------------------------------------------------------------------------------------- the worked examples


@dataclass(frozen=True)
class Example:
    """One appendix: what each end draws, in its order, and what goes over the line."""

    card_access: str
    password: MrzKey
    reader_private: tuple[str, ...]
    chip_private: tuple[str, ...]
    nonce: str
    steps: tuple[tuple[str, str], ...]  # command and answer, the answer without 9000
    encryption_key: str
    mac_key: str
    reader_nonce: str = ""
    password_key: str = ""  # where the appendix gives no password that leads to it


def data(tag: str, body: str) -> str:
    return tlv.encode(0x7C, tlv.encode(int(tag, 16), h(body))).hex()


def command(tag: str, body: str, *, last: bool = False) -> str:
    content = h(data(tag, body)) if tag else b"\x7c\x00"
    return Command(0x00 if last else 0x10, 0x86, 0, 0, content, 256).encode().hex()


def exchange_of(
    protocol: str,
    nonce: str,
    *,
    mapping: tuple[str, str],
    agreement: tuple[str, str],
    tokens: tuple[str, str],
    proof: str = "",
) -> tuple[tuple[str, str], ...]:
    last = tlv.encode(0x86, h(tokens[1])) + (tlv.encode(0x8A, h(proof)) if proof else b"")
    return (
        (f"0022C1A40F800A{protocol}830101", ""),
        (command("", ""), data("80", nonce)),
        (command("81", mapping[0]), data("82", mapping[1])),
        (command("83", agreement[0]), data("84", agreement[1])),
        (command("85", tokens[0], last=True), tlv.encode(0x7C, last).hex()),
    )


G_1 = Example(
    "31143012060A04007F0007020204020202010202010D",
    MrzKey("T22000129", "640812", "101031"),
    (
        "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99",
        "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
    ),
    (
        "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560",
        "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
    ),
    "3F00C4D39D153F2B2A214A078D899B22",
    exchange_of(
        "04007F00070202040202",
        "95A3A016522EE98D01E76CB6B98B42C3",
        mapping=(
            "047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E"
            "544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D",
            "04824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57"
            "30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54",
        ),
        agreement=(
            "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C"
            "3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
            "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB"
            "7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094",
        ),
        tokens=("C2B0BD78D94BA866", "3ABB9674BCE93C08"),
    ),
    "F5F0E35C0D7161EE6724EE513A0D9A7F",
    "FE251C7858B356B24514B3BD5F4297D1",
)
G_2 = Example(
    "31143012060A04007F00070202040102020102020100",
    G_1.password,
    ("5265030F751F4AD18B08AC565FC7AC952E41618D", "89CCD99B0E8D3B1F11E1296DCA68EC53411CF2CA"),
    ("66DDAFEAC1609CB5B963BB0CB3FF8B3E047F336C", "A5B780126B7C980E9FCEA1D4539DA1D27C342DFA"),
    "FA5B7E3E49753A0DB9178B7B9BD898C8",
    exchange_of(
        "04007F00070202040102",
        "854D8DF5827FA6852D1A4FA701CDDDCA",
        mapping=(
            "23FB3749EA030D2A25B278D2A562047ADE3F01B74F17A15402CB7352CA7D2B3EB71C343DB13D1DEBCE9A3666DBCFC920"
            "B49174A602CB47965CAA73DC702489A44D41DB914DE9613DC5E98C94160551C0DF86274B9359BC0490D01B03AD54022D"
            "CB4F57FAD6322497D7A1E28D46710F461AFE710FBBBC5F8BA166F4311975EC6C",
            "78879F57225AA8080D52ED0FC890A4B25336F699AA89A2D3A189654AF70729E623EA5738B26381E4DA19E004706FACE7"
            "B235C2DBF2F38748312F3C98C2DD4882A41947B324AA1259AC22579DB93F7085655AF30889DBB845D9E6783FE42C9F24"
            "49400306254C8AE8EE9DD812A804C0B66E8CAFC14F84D8258950A91B44126EE6",
        ),
        agreement=(
            "907D89E2D425A178AA81AF4A7774EC8E388C115CAE67031E85EECE520BD911551B9AE4D04369F29A02626C86FBC6747C"
            "C7BC352645B6161A2A42D44EDA80A08FA8D61B76D3A154AD8A5A51786B0BC07147057871A922212C5F67F43173172236"
            "B7747D1671E6D692A3C7D40A0C3C5CE397545D015C175EB5130551EDBC2EE5D4",
            "075693D9AE941877573E634B6E644F8E60AF17A0076B8B123D9201074D36152BD8B3A213F53820C42ADC79AB5D0AEEC3"
            "AEFB91394DA476BD97B9B14D0A65C1FC71A0E019CB08AF55E1F729005FBA7E3FA5DC41899238A250767A6D46DB974064"
            "386CD456743585F8E5D90CC8B4004B1F6D866C79CE0584E49687FF61BC29AEA1",
        ),
        tokens=("B46DD9BD4D98381F", "917F37B5C0E6D8D1"),
    ),
    "2F7F46ADCC9E7E521B45D192FAFA9126",
    "805A1D27D45A5116F73C54469462B7D8",
)
H_1 = Example(
    "31143012060A04007F0007020204040202010202010D",
    G_1.password,
    ("A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",),
    ("107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",),
    "2923BE84E16CD6AE529049F1F1BBE9EB",
    exchange_of(
        "04007F00070202040402",
        "143DC40C08C8E891FBED7DEDB92B64AD",
        mapping=("5DD4CBFC96F5453B130D890A1CDBAE32", ""),
        agreement=(
            "0489CBA23FFE96AA18D824627C3E934E54A9FD0B87A95D1471DC1C0ABFDCD640D4"
            "6755DE9B7B778280B6BEBD57439ADFEB0E21FD4ED6DF42578C13418A59B34C37",
            "0467F78E5F7F7686082B293E8D087E056916D0F74BC01A5F8957D0DE45691E51E8"
            "932B69A962B52A0985AD2C0A271EE6A13A8ADDDCD1A3A994B9DED257F4D22753",
        ),
        tokens=("450F02B86F6A0909", "75D4D96E8D5B0308"),
    ),
    "0D3FEB33251A6370893D62AE8DAAF51B",
    "B01E89E3D9E8719E586B50B4A7506E0B",
    reader_nonce="5DD4CBFC96F5453B130D890A1CDBAE32",
    password_key="591468CDA83D65219CCCB8560233600F",
)
H_2 = Example(
    "31143012060A04007F00070202040302020102020100",
    G_1.password,
    (
        "4BD0E54740F9A028E6A515BFDAF967848C4F5F5FFF65AA0915947FFD1A0DF2FA6981271BC905F3551457B7E03AC3B806"
        "6DE4AA406C1171FB43DD939C4BA16175103BA3DEE16419AA248118F90CC36A3D6F4C373652E0C3CCE7F0F1D0C5425B36"
        "00F0F0D6A67F004C8BBA33F2B4733C7252445C1DFC4F1107203F71D2EFB28161",
    ),
    (
        "020F018C7284B047FA7721A337EFB7ACB1440BB30C5252BD41C97C30C994BB78E9F0C5B32744D84017D21FFA6878396A"
        "6469CA283EF5C000DAF7D261A39AB8860ED4610AB5343390897AAB5A7787E4FAEFA0649C6A94FDF82D991E8E3FC332F5"
        "142729E7040A3F7D5A4D3CD75CBEE1F043C1CAD2DD484FEB4ED22B597D36688E",
    ),
    "FA5B7E3E49753A0DB9178B7B9BD898C8",
    exchange_of(
        "04007F00070202040302",
        "9ABB8864CA0FF1551E620D1EF4E13510",
        mapping=("B3A6DB3C870C3E99245E0D1C06B747DE", ""),
        agreement=(
            "0F0CC62945A8029251FB7EF3C094E12EC68E4EF07F27CB9D9CD04C5C4250FAE0E4F8A951557E929AEB48E5C6DD47F2F5"
            "CD7C351A9BD2CD722C07EDE166770F08FFCB370262CF308DD7B07F2E0DA9CAAA1492344C852906919538C98A4BA4187E"
            "76CE9D87832386D319CE2E043C3343AEAE6EDBA1A9894DC5094D22F7FE1351D5",
            "928D9A0F9DBA450F13FC859C6F290D1D36E42431138A4378500BEB4E0401854CFF111F71CB6DC1D0335807A11388CC8E"
            "AA87B07907AAD9FBA6B169AF6D8C26AF8DDDC39ADC3AD2E3FF882B84D23E9768E95A80E4746FB07A9767679FE92133B4"
            "D379935C771BD7FBED6C7BB4B1708B275EA75679524CDC9C6A91370CC662A2F3",
        ),
        tokens=("55D61977CBF5307E", "C2F04230187E1525"),
    ),
    "01AFC10CF87BE36D8179E87370171F07",
    "23F0FBD05FD6C7B8B88F4C8309669061",
    reader_nonce="B3A6DB3C870C3E99245E0D1C06B747DE",
    password_key="591468CDA83D65219CCCB8560233600F",
)
I_1 = Example(
    "31143012060A04007F0007020204060202010202010D",
    MrzKey("C11T002JM", "960812", "231031"),
    (
        "5D8BB87BD74D985A4B7D4325B9F7B976FE835122773400798914AA22738135CC",
        "76ECFDAA9841C323A3F5FC5E88B88DB3EFF7E35EBF57A7E6946CB630006C2120",
    ),
    (
        "9E56A6B59C95D06ECE5CD10F983BB2F4F1943528E577F23881D89D8C3BBEE0AA",
        "CD626EF3C256E235FE8912CAC28279E626008EDA6B3A05C4CF862A3BDAB79E78",
    ),
    "658B860BC94DF6F044FCE6D5C82CF8E5",
    exchange_of(
        "04007F00070202040602",
        "CB60E8E0D85B76A9BD304747C2AD42E2",
        mapping=(
            "047F1D410ADB7DDB3B84BF1030800981A9105D7457B4A3ADE002384F3086C67EDE"
            "1AB889104A27DB6D842B019020FBF3CEACB0DC627F7BDCAC29969E19D0E553C1",
            "04A234236AA9B9621E8EFB73B5245C0E09D2576E5277183C1208BDD55280CAE8B3"
            "04F365713A356E65A451E165ECC9AC0AC46E3771342C8FE5AEDD092685338E23",
        ),
        agreement=(
            "04446C934084D9DAB863944F219520076C29EE3F7AE6722B11FF319EC1C7728F95"
            "5483400BFF60BF0C5929270009277DC2A515E12575010AD9BA916CF1BF86FEFC",
            "0402AD566F3C6EC7F9324509AD50A51FA52030782A4968FCFEDF737DAEA9933331"
            "11C3B9B4C2287789BD137E7F8AA882E2A3C633CCD6ECC2C63C57AD401A09C2E1",
        ),
        tokens=("E86BD06018A1CD3B", "8596CF055C67C1A3"),
        proof="1EEA964DAAE372AC990E3EFDE6333353BFC89A6704D93DA8798CF77F5B7A54BD10CBA372B42BE0B9B5F28AA8DE2F4F92",
    ),
    "0A9DA4DB03BDDE39FC5202BC44B2E89E",
    "4B1C06491ED5140CA2B537D344C6C0B1",
)
# ChipAuthenticationPublicKeyInfo of appendix I.1, as EF.CardSecurity brings it.
I_1_KEY = (
    "31643062060904007F0007020201023052300C060704007F0007010202010D0342000418727094"
    "94399E7470A6431BE25E83EEE24FEA568C2ED28DB48E05DB3A610DC884D256A40E35EFCB59BF67"
    "53D3A489D28C7A4D973C2DA138A6E7A4A08F68E16F02010D"
)
EXAMPLES = pytest.mark.parametrize("example", [G_1, G_2, H_1, H_2, I_1], ids=["G.1", "G.2", "H.1", "H.2", "I.1"])


class Script:
    """Plays a fixed conversation: each command must be exactly the one of the example."""

    def __init__(self, steps: tuple[tuple[str, str], ...]) -> None:
        self._steps = list(steps)

    def transmit(self, apdu: bytes) -> bytes:
        sent, answer = self._steps.pop(0)
        assert apdu.hex() == sent.lower()
        return h(answer) + b"\x90\x00"


@dataclass(frozen=True)
class GivenPassword:
    """A suite whose password key is the one that appendix H states without the password it came from."""

    inner: CipherSuite
    key: bytes

    def derive_key(self, secret: bytes, counter: int) -> bytes:
        return self.key if counter == 3 else self.inner.derive_key(secret, counter)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def offered(example: Example) -> SecurityInfos:
    infos = parse_security_infos(h(example.card_access))
    (info,) = infos.pace
    if example.password_key:
        suite: CipherSuite = GivenPassword(info.suite, h(example.password_key))  # type: ignore[assignment]
        infos = replace(infos, pace=(replace(info, suite=suite),))
    return infos


def drawn(numbers: tuple[str, ...]) -> Callable[[int], int]:
    """Draws the example's private keys: a draw is one less."""
    left: Iterator[str] = iter(numbers)
    return lambda end: int(next(left), 16) - 1


@EXAMPLES
def test_the_reader_s_end_of_the_worked_example(example: Example) -> None:
    (info,) = offered(example).pace
    pace = Pace(info, random_bytes=lambda n: h(example.reader_nonce), below=drawn(example.reader_private))
    opened = pace.open(Script(example.steps), example.password)
    session = opened.line._session
    assert (session._encryption_key, session._mac_key) == (h(example.encryption_key), h(example.mac_key))
    assert session.counter == 0


@EXAMPLES
def test_the_chip_s_end_of_the_worked_example(example: Example) -> None:
    keys = list(parse_security_infos(h(I_1_KEY)).chip_keys) if example is I_1 else []
    chip = PaceChip(
        offered(example),
        example.password,
        None,
        keys,
        lambda key: i_1_private(),
        ChipRandom(lambda n: h(example.nonce), drawn(example.chip_private)),
    )
    for sent, answer in example.steps:
        asked = Command.parse(h(sent))
        got = chip.set_up(asked.data) if asked.ins == 0x22 else chip.authenticate(asked)
        assert got == Answer(h(answer), 0x9000)
    assert chip.session is not None
    assert chip.session._encryption_key == h(example.encryption_key)


def i_1_private() -> int:
    """The chip's static private key, not printed: CA = SK⁻¹ · SK_map, and those are."""
    order = standardised_group(13).order  # type: ignore[union-attr]
    data = int("85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3", 16)
    return pow(data, -1, order) * int(I_1.chip_private[0], 16) % order


def test_appendix_i_1_the_chip_proves_its_key_of_ef_cardsecurity() -> None:
    (key,) = parse_security_infos(h(I_1_KEY)).chip_keys
    assert key.key_id == 13
    (info,) = offered(I_1).pace
    opened = Pace(info, below=drawn(I_1.reader_private)).open(Script(I_1.steps), I_1.password)
    assert opened.chip_data == h("85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3")
    assert opened.proves(key)
    assert not opened.proves(replace(key, key_id=12))
    other = key.group.public(5)
    assert not opened.proves(replace(key, public=other))
    assert not opened.proves(replace(key, public=other[:-1]))
    assert not replace(opened, chip_data=bytes(32)).proves(key)
    assert not replace(opened, chip_data=None).proves(key)


def test_appendix_g_password_key_and_appendix_i_password_key() -> None:
    assert password_key(G_1.password, AES_128) == h("89DED1B26624EC1E634C1989302849DD")
    assert password_key(I_1.password, AES_128) == h("4E6F6FBF7BE748B932C7B74161BBA9DF")


def test_appendix_g_1_and_g_2_mapped_generators() -> None:
    curve, field = standardised_group(13), standardised_group(0)
    assert curve is not None and field is not None
    shared = curve.agree(int(G_1.reader_private[0], 16), curve.public(int(G_1.chip_private[0], 16)))
    assert shared == h(
        "0460332EF2450B5D247EF6D3868397D398852ED6E8CAF6FFEEF6BF85CA57057FD5"
        "0840CA7415BAF3E43BD414D35AA4608B93A2CAF3A4E3EA4E82C9C13D03EB7181"
    )
    assert curve.mapped_generically(h(G_1.nonce), shared).public(1) == h(
        "048CED63C91426D4F0EB1435E7CB1D74A46723A0AF21C89634F65A9AE87A9265E2"
        "8C879506743F8611AC33645C5B985C80B5F09A0B83407C1B6A4D857AE76FE522"
    )
    shared = field.agree(int(G_2.reader_private[0], 16), field.public(int(G_2.chip_private[0], 16)))
    assert shared == h(
        "5BABEBEF5B74E5BA94B5C063FDA15F1F1CDE94873EE0A5D3A2FCAB49F258D07F544F13CB66658C3AFEE9E727389BE3F6"
        "CBBBD32128A8C21DD6EEA3CF7091CDDFB08B8D007D40318DCCA4FFBF51208790FB4BD111E5A968ED6B6F08B26CA87C41"
        "0B3CE0C310CE104EABD16629AA48620C1279270CB0750C0D37C57FFFE302AE7F"
    )


def test_appendix_h_1_and_h_2_pseudo_random_numbers_and_mapped_generators() -> None:
    curve, field = standardised_group(13), standardised_group(0)
    assert curve is not None and field is not None
    s, t = h(H_1.nonce), h(H_1.reader_nonce)
    assert pseudo_random_bytes(AES_128, s, t, curve.prime) == h(
        "E4447E2DFB3586BAC05DDB00156B57FBB2179A3949294C97254189800C517BAA8DA0FF397ED8C445D3E421E4FEB57322"
    )
    element = pseudo_random(AES_128, s, t, curve.prime)
    assert element == int("A2F8FF2DF50E52C6599F386ADCB595D229F6A167ADE2BE5F2C3296ADD5B7430E", 16)
    assert curve.mapped_from(element).public(1) == h(
        "048E82D31559ED0FDE92A4D0498ADD3C23BABA94FB77691E31E90AEA77FB17D427"
        "4C1AE14BD0C3DBAC0C871B7F3608169364437CA30AC243A089D3F266C1E60FAD"
    )
    element = pseudo_random(AES_128, h(H_2.nonce), h(H_2.reader_nonce), field.prime)
    assert element.to_bytes(128, "big") == h(
        "A0C7C50C002061A51CC87D254EF38068607417B6EE1B36473CFB800D2D2E5FA2B6980F01105D24FAB22ACD1BFA5C8A4C"
        "093ECDFAFE6D7125D42A843E338603835CF19AFAFF75EFE21DC5F6AA1F9AE46C25087E7368166FB08C1E4627AFED7D93"
        "570417B790FF7F747E57F432B04E1236819E0DFEF5B6E77CA4999925328182D2"
    )
    assert field.mapped_from(element).public(1) == h(
        "1D7D767F11E333BCD6DBAEF40E799E7A926B96973550656FF3C830726D118D61C276CDCC61D475CF03A98E0C0E79CAEB"
        "A5BE25578BD4551D0B10903236F0B0F976852FA78EEA14EA0ACA87D1E91F688FE0DFF897BBE35A472621D343564B262F"
        "34223AE8FC59B664BFEDFA2BFE7516CA5510A6BBB633D517EC25D4E0BBAA16C2"
    )


# ------------------------------------------------------------------------------- every way, and every way to fail

PASSWORD, CAN = G_1.password, CardAccessNumber("123456")


class ChipLine:
    """A chip that speaks PACE and nothing else."""

    def __init__(self, infos: SecurityInfos, refuses: str = "") -> None:
        self.chip = PaceChip(infos, PASSWORD, CAN, [], lambda key: None, refuses=refuses)
        self.sent: list[Command] = []

    def transmit(self, apdu: bytes) -> bytes:
        asked = Command.parse(apdu)
        self.sent.append(asked)
        if (asked.ins, asked.p1) == (0x22, 0xC1):
            return self.chip.set_up(asked.data).encode()
        return self.chip.authenticate(asked).encode() if asked.ins == 0x86 else b"\x6d\x00"


def card_access(*entries: tuple[str, CipherSuite, int]) -> SecurityInfos:
    encoded = [
        encode_pace_info(pace_protocol(mapping, suite, elliptic=number > 2), number)  # type: ignore[arg-type]
        for mapping, suite, number in entries
    ]
    return parse_security_infos(encode_security_infos(encoded))


CURVES, FIELDS = tuple(range(8, 19)), (0, 1, 2)
WAYS = [
    *(("gm", AES_128, number) for number in (*FIELDS, *CURVES)),
    *(("im", AES_128, number) for number in (*FIELDS, *CURVES) if number != 10),
    *(("cam", AES_128, number) for number in CURVES),
    *((mapping, suite, 13) for mapping in ("gm", "im") for suite in SUITES.values()),
    *(("cam", suite, 12) for suite in SUITES.values() if suite is not TRIPLE_DES),
    *((mapping, suite, 0) for mapping in ("gm", "im") for suite in SUITES.values()),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1].name}-{way[2]}")
def test_every_mapping_cipher_and_group_opens_with_both_passwords(way: tuple[str, CipherSuite, int]) -> None:
    infos = card_access(way)
    assert len(infos.pace) == 1
    for password in (PASSWORD, CAN) if way[2] == 13 else (PASSWORD,):
        line = ChipLine(infos)
        opened = Pace(infos.pace[0]).open(line, password)
        assert line.chip.session is not None
        assert opened.line._session._mac_key == line.chip.session._mac_key


def test_wrong_passwords_are_refused_by_the_chip() -> None:
    (info,) = card_access(("gm", AES_128, 12)).pace
    for wrong in (CardAccessNumber("123457"), MrzKey("T22000128", "640812", "101031")):
        with pytest.raises(AccessRefused, match="key_refused"):
            Pace(info).open(ChipLine(card_access(("gm", AES_128, 12))), wrong)


@pytest.mark.parametrize("digits", ["", "12a456", "١٢٣٤٥٦", "123", "1" * 13])
def test_what_is_no_card_access_number(digits: str) -> None:
    with pytest.raises(ValueError, match="card access number"):
        CardAccessNumber(digits)


def test_the_preference_is_by_mapping_then_by_strength_and_never_by_the_file_s_order() -> None:
    infos = card_access(
        ("im", AES_256, 13), ("gm", TRIPLE_DES, 13), ("gm", AES_256, 0), ("gm", AES_256, 13), ("cam", AES_128, 13)
    )
    order = [(info.mapping, info.suite.name, info.elliptic) for info in preferred(infos.pace)]
    assert order == [
        ("cam", "aes128", True),
        ("gm", "aes256", True),
        ("gm", "aes256", False),
        ("gm", "3des", True),
        ("im", "aes256", True),
    ]


def test_the_first_way_that_works_is_taken_and_taken_again() -> None:
    infos = card_access(("cam", AES_128, 13), ("gm", AES_128, 13))
    line = ChipLine(infos)
    gate = Gate(line, infos, (PASSWORD,))
    opened = gate.open()
    assert (opened.protocol, opened.downgrade) == ("pace_cam", None)
    line.sent.clear()
    assert gate.open().protocol == "pace_cam"
    assert [(sent.ins, sent.p1) for sent in line.sent[:2]] == [(0xA4, 0x00), (0x22, 0xC1)]


def test_domain_parameters_are_named_where_they_are_ambiguous_or_the_chip_wants_it() -> None:
    infos = card_access(("gm", AES_128, 12), ("gm", AES_128, 13))
    line = ChipLine(infos)
    Gate(line, infos, (PASSWORD,)).open()
    assert dict(tlv.objects(line.sent[0].data))[0x84] in (b"\x0c", b"\x0d")

    class WantsTheName(ChipLine):
        def transmit(self, apdu: bytes) -> bytes:
            asked = Command.parse(apdu)
            if asked.ins == 0x22 and 0x84 not in dict(tlv.objects(asked.data)):
                return b"\x6a\x80"
            return super().transmit(apdu)

    infos = card_access(("gm", AES_128, 13))
    assert Gate(WantsTheName(infos), infos, (PASSWORD,)).open().protocol == "pace_gm"


def test_the_can_opens_where_the_zone_does_not() -> None:
    infos = card_access(("gm", AES_128, 13))
    opened = Gate(ChipLine(infos), infos, (MrzKey("T22000128", "640812", "101031"), CAN)).open()
    assert opened.password == CAN


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("setup", "pace_refused_setup"),
        ("nonce", "pace_refused_nonce"),
        ("mapping", "pace_refused_mapping"),
        ("agreement", "pace_refused_agreement"),
        ("token", "key_refused"),
    ],
)
def test_a_step_that_the_chip_refuses(step: str, reason: str) -> None:
    infos = card_access(("gm", AES_128, 13))
    with pytest.raises(AccessRefused, match=reason):
        Pace(infos.pace[0]).open(ChipLine(infos, step), PASSWORD)


class Falsified(ChipLine):
    """The chip's answers with one object exchanged."""

    def __init__(self, infos: SecurityInfos, tag: int, change: Callable[[bytes, bytes], bytes]) -> None:
        super().__init__(infos)
        self._tag, self._change = tag, change

    def transmit(self, apdu: bytes) -> bytes:
        answer = Answer.parse(super().transmit(apdu))
        if not answer.data:
            return answer.encode()
        objects = dict(tlv.objects(tlv.value(answer.data, 0x7C)))
        if self._tag in objects:
            own = tlv.value(tlv.value(Command.parse(apdu).data, 0x7C), self._tag - 1)
            objects[self._tag] = self._change(objects[self._tag], own)
        body = b"".join(tlv.encode(tag, value) for tag, value in objects.items())
        return tlv.encode(0x7C, body) + b"\x90\x00"


@pytest.mark.parametrize("number", [0, 13])
@pytest.mark.parametrize("tag", [0x82, 0x84])
@pytest.mark.parametrize(
    "change",
    [
        lambda key, own: b"",
        lambda key, own: key[:-1],
        lambda key, own: key + b"\x00\x00",
        lambda key, own: b"\x00" * len(key),
        lambda key, own: b"\x01",
        lambda key, own: bytes(len(key) - 1) + b"\x01",
        lambda key, own: b"\x04" + b"\xff" * (len(key) - 1),
        lambda key, own: key[:-1] + bytes([key[-1] ^ 1]),
        lambda key, own: b"\x02" + key[1:33],
    ],
)
def test_a_public_key_that_is_none_ends_it(number: int, tag: int, change: Callable[[bytes, bytes], bytes]) -> None:
    infos = card_access(("gm", AES_128, number))
    with pytest.raises(AccessRefused, match="chip_answer_invalid"):
        Pace(infos.pace[0]).open(Falsified(infos, tag, change), PASSWORD)


def test_our_own_key_sent_back_is_none_and_a_false_token_is_none() -> None:
    for number, tag, change in (
        (13, 0x84, lambda key, own: own),
        (0, 0x84, lambda key, own: own),
        (13, 0x86, lambda token, own: own),
        (13, 0x86, lambda token, own: bytes(8)),
        (13, 0x86, lambda token, own: token[:-1]),
    ):
        infos = card_access(("gm", AES_128, number))
        with pytest.raises(AccessRefused, match="chip_answer_invalid"):
            Pace(infos.pace[0]).open(Falsified(infos, tag, change), PASSWORD)


def test_the_least_of_the_small_subgroup_is_refused() -> None:
    group = standardised_group(0)
    assert isinstance(group, FiniteGroup) and group.subgroup_order is not None
    cofactor = (group.prime - 1) // group.subgroup_order
    small = pow(3, (group.prime - 1) // 2, group.prime)
    assert cofactor % 2 == 0
    for element in (0, 1, small, group.prime - 1, group.prime, pow(3, group.subgroup_order, group.prime)):
        with pytest.raises(UnsafeKey):
            group.agree(5, element.to_bytes(129, "big"))


@pytest.mark.parametrize("number", FIELDS)
def test_the_groups_of_rfc_5114_are_what_they_say(number: int) -> None:
    from ecdsa.numbertheory import is_prime

    group = standardised_group(number)
    assert isinstance(group, FiniteGroup) and group.subgroup_order is not None
    assert (group.prime.bit_length(), group.subgroup_order.bit_length()) == [
        (1024, 160),
        (2048, 224),
        (2048, 256),
    ][number]
    assert (group.prime - 1) % group.subgroup_order == 0
    assert pow(group.generator, group.subgroup_order, group.prime) == 1
    assert is_prime(group.subgroup_order)


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")  # deprecated there, and all there is here
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_fields_agree_with_another_library_on_secrets_that_begin_with_zero_too(number: int) -> None:
    from cryptography.hazmat.primitives.asymmetric import dh

    group = standardised_group(number)
    assert isinstance(group, FiniteGroup)
    numbers = dh.DHParameterNumbers(group.prime, group.generator, group.subgroup_order)
    theirs = numbers.parameters().generate_private_key()
    element = theirs.public_key().public_numbers().y
    public = element.to_bytes(group.key_length, "big")
    secret, ours = element, 1  # secrets of 1, 2, 3, … until one begins with zero
    while secret >> 8 * (group.key_length - 1) or ours < 2:
        secret, ours = secret * element % group.prime, ours + 1
    same = dh.DHPrivateNumbers(
        ours, dh.DHPublicNumbers(int.from_bytes(group.public(ours), "big"), numbers)
    ).private_key()
    assert group.secret(ours, public) == same.exchange(theirs.public_key())
    assert group.secret(ours, public)[0] == 0


@pytest.mark.parametrize("number", [12, 13, 15, 16, 17, 18])
def test_the_curves_agree_with_another_library(number: int) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    curve = {
        12: ec.SECP256R1(), 13: ec.BrainpoolP256R1(), 15: ec.SECP384R1(),
        16: ec.BrainpoolP384R1(), 17: ec.BrainpoolP512R1(), 18: ec.SECP521R1(),
    }[number]  # fmt: skip
    group = standardised_group(number)
    assert group is not None
    ours, theirs = private_key(group), ec.generate_private_key(curve)
    point = theirs.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    same = ec.derive_private_key(ours, curve)
    assert group.public(ours) == same.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert group.secret(ours, point) == same.exchange(ec.ECDH(), theirs.public_key())


# --------------------------------------------------------------------------------------------------- parsers


def test_what_is_no_way_of_pace_is_recorded_and_not_taken() -> None:
    explicit = encode_pace_info(h("04007F00070202040202"), 32)
    no_cam = encode_pace_info(h("04007F00070202040601"), 13)  # with triple DES: Table 3 has none
    wrong_field = encode_pace_info(h("04007F00070202040202"), 0)
    no_im = encode_pace_info(h("04007F00070202040402"), 10)
    version_1 = h("3012060A04007F0007020204020202010102010D")
    for entry in (explicit, no_cam, wrong_field, no_im, version_1):
        infos = parse_security_infos(encode_security_infos([entry]))
        assert infos.pace == () and infos.offers_pace
        with pytest.raises(AccessRefused, match="pace_not_supported"):
            Gate(ChipLine(infos), infos, (CAN,)).open()


def test_entries_are_compared_byte_by_byte_in_any_order() -> None:
    first, second = (
        encode_pace_info(h("04007F00070202040202"), 13),
        encode_pace_info(h("04007F00070202040402"), 13),
    )
    other = h("300A06082A864886F70D0101")
    signed = parse_security_infos(tlv.encode(0x31, second + other + first))
    assert signed.disagreement(parse_security_infos(tlv.encode(0x31, first + second))) is None
    assert signed.disagreement(parse_security_infos(tlv.encode(0x31, first))) == "cardaccess_differs"
    assert signed.disagreement(None) == "cardaccess_missing"
    assert parse_security_infos(tlv.encode(0x31, other)).disagreement(signed) == "cardaccess_differs"
    assert parse_security_infos(tlv.encode(0x31, other)).disagreement(None) is None


@given(st.binary(max_size=120), st.sampled_from([0x31, 0x30]))
def test_no_bytes_break_the_security_infos(content: bytes, tag: int) -> None:
    for wrapped in (content, tlv.encode(0x31, content), tlv.encode(0x31, tlv.encode(tag, content))):
        try:
            assert isinstance(parse_security_infos(wrapped), SecurityInfos)
        except LdsError as error:
            assert error.reason == "security_infos_malformed"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(h(I_1_KEY)) - 1), st.integers(1, 255))
def test_no_changed_byte_breaks_a_chip_key(place: int, change: int) -> None:
    spoilt = bytearray(h(I_1_KEY))
    spoilt[place] ^= change
    try:
        keys = parse_security_infos(bytes(spoilt)).chip_keys
    except LdsError:
        return
    for key in keys:
        proof = PaceSession(None, offered(I_1).pace[0], b"\x04" + bytes(64), bytes(32))  # type: ignore[arg-type]
        assert not proof.proves(key)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=90), max_size=6), st.sampled_from(["gm", "im", "cam"]), st.booleans())
def test_any_answers_of_a_chip_refuse_or_break_and_nothing_else(
    answers: list[bytes], mapping: str, wrapped: bool
) -> None:
    class Babbler:
        def transmit(self, apdu: bytes) -> bytes:
            content = answers.pop() if answers else b""
            return (tlv.encode(0x7C, content) if wrapped else content) + b"\x90\x00"

    infos = card_access((mapping, AES_128, 13))
    with pytest.raises(ChipError):
        Pace(infos.pace[0]).open(Babbler(), PASSWORD)


def test_basic_access_control_is_the_way_of_a_chip_that_offers_nothing_else() -> None:
    class Nothing:
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x90\x00" if apdu[1] == 0xA4 else b"\x6d\x00"

    with pytest.raises(AccessRefused, match="no_challenge"):
        Gate(Nothing(), None, (PASSWORD,)).open()


def test_a_curve_that_nobody_needs_costs_no_time() -> None:
    """Unsigned bytes with a prime of 20,000 bits and a compressed base point: a root of it would take minutes."""
    prime = ((1 << 20_000) - 1).to_bytes(2500, "big")
    integer, octets = tlv.encode(0x02, b"\x00" + prime), tlv.encode(0x04, prime)
    field = tlv.encode(0x30, h("06072A8648CE3D0101") + integer)
    base = tlv.encode(0x04, b"\x02" + prime)
    parameters = tlv.encode(0x30, h("020101") + field + tlv.encode(0x30, octets + octets) + base + integer)
    algorithm = tlv.encode(0x30, h("06072A8648CE3D0201") + parameters)
    info = tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00\x04" + prime))
    infos = parse_security_infos(tlv.encode(0x31, tlv.encode(0x30, h("060904007F000702020102") + info)))
    assert infos.unsupported_keys and infos.chip_keys == ()
