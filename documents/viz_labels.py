"""The words that documents print beside their fields, in the languages of Europe's passports.

9303-3 §3.3 has captions in English, French or Spanish beside the issuer's own language, so that a label is found
even where the national word is missing here. All are written without marks, as `_plain` gives them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

LabelledField = Literal["surname", "given_names", "number", "birth_date", "expiry_date"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SURNAME = _set(
    "SURNAME SURNAMES NOM NACHNAME FAMILIENNAME APELLIDO APELLIDOS APELIDO COGNOME NAZWISKO PRIJMENI PRIEZVISKO"
    " PREZIME PRIIMEK PAVARDE UZVARDS PEREKONNANIMI SUKUNIMI EFTERNAMN EFTERNAVN ETTERNAVN KENNINAFN CSALADI"
    " NUME NUMELE SOYADI EPONYMO ΕΠΩΝΥΜΟ ΕΠΩΝΥΜΟΝ ФАМИЛИЯ ПРОЗВІШЧА ПРІЗВИЩЕ ПРЕЗИМЕ"
)
_GIVEN = _set(
    "GIVEN PRENOM PRENOMS VORNAME VORNAMEN FORENAME FORENAMES FIRST NOMBRE NOMBRES NOME NOMI IMIONA IMIE JMENO"
    " MENO IME VARDAS VARDS EESNIMI EESNIMED ETUNIMET FORNAMN FORNAVN EIGINNAFN UTONEV PRENUME ADI"
    " ONOMA ΟΝΟΜΑ ИМЯ ІМЯ ИМЕ ИМЕНА VOORNAMEN"
)
_NUMBER = _set("NO N NR NUMBER NUMERO NUM NUMER NUMMER CISLO BROJ SZAMA STEVILKA NUMRI NUMURS HOMEP НОМЕР")
_DOCUMENT = _set(
    "PASSPORT PASSEPORT PASAPORTE PASSAPORTO PASSAPORTE PASZPORTU PASS REISEPASS PASO PASES PASU PASPOORT PASSIN"
    " DOCUMENT DOCUMENTO CARD CARTE VISA VISUM PASSNR ΔΙΑΒΑΤΗΡΙΟΥ ПАСПОРТ ПАСПОРТА"
)
_BIRTH = _set(
    "BIRTH NAISSANCE GEBURTSDATUM GEBURTSTAG GEBURT NACIMIENTO NASCIMENTO NASCITA URODZENIA NAROZENI NARODENIA"
    " RODENJA ROJSTVA GIMIMO DZIMSANAS SUNNIAEG SYNTYMAAIKA FODELSEDATUM FODSELSDATO FAEDINGARDAGUR SZULETESI"
    " NASTERII DOGUM GEBOORTEDATUM ΓΕΝΝΗΣΗΣ РОЖДЕНИЯ НАРАДЖЭННЯ НАРОДЖЕННЯ BORN"
)
_EXPIRY = _set(
    "EXPIRY EXPIRATION EXPIRES UNTIL EXPIRE VALABLE GULTIG GULTIGKEIT CADUCIDAD VALIDADE SCADENZA WAZNOSCI"
    " PLATNOSTI PLATNOST VRIJEDI VELJAVNOSTI GALIOJA DERIGA KEHTIV VOIMASSA GILTIGT GYLDIG LEJAR EXPIRARII"
    " GECERLILIK GELDIG ΛΗΞΗΣ СРОК ТЭРМІН"
)
_PLACE = _set(
    "PLACE LIEU ORT GEBURTSORT LUGAR LUOGO MIEJSCE MISTO MIESTO MJESTO KRAJ VIETA KOHT PAIKKA STED HELY LOCUL YERI"
    " ΤΟΠΟΣ МЕСТО МЕСЦА МІСЦЕ"
)
_OTHER = _set(
    "NAME NAMES DELIVRANCE DATE DATUM FECHA DATA TYPE TYP TIPO CODE STATE ISSUING COUNTRY SEX"
    " SEXE GESCHLECHT NATIONALITY NATIONALITE NATIONALITAT STAATSANGEHORIGKEIT AUTHORITY AUTORITE BEHORDE ISSUE"
    " ISSUED SIGNATURE HOLDER HOLDERS TITULAIRE PERSONAL PERSONNEL PERSONNE IDENTITY IDENTITE REPUBLIC REPUBLIQUE"
    " PAYS VALID REMARKS HEIGHT TAILLE SPECIMEN"
)
# Titles and the like, which the zone leaves out (9303-3 §4.6).
HONORIFICS = _set("MR MRS MS MISS DR PROF DIPL ING MME MLLE GEB NEE NE SIR JR SR II III IV")
# They stand in labels and in names; on their own they are no label.
PARTICLES = _set("OF DE DU DES LA LE DEL DELLA DI DA AND ET")
LABEL_WORDS = PARTICLES | _SURNAME | _GIVEN | _NUMBER | _DOCUMENT | _BIRTH | _EXPIRY | _PLACE | _OTHER


@lru_cache(maxsize=256)
def labelled_field(text: str) -> LabelledField | None:
    """The field that a line is the label of, None for any other line."""
    decomposed = unicodedata.normalize("NFD", text.upper())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    words = {word for word in re.split(r"[\W\d_]+", plain) if word}
    if words & _GIVEN:
        return "given_names"
    if words & _SURNAME:
        return "surname"
    if words & _BIRTH and not words & _PLACE:
        return "birth_date"
    if words & _EXPIRY:
        return "expiry_date"
    if words & _NUMBER and words & _DOCUMENT:
        return "number"
    return None
