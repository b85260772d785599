"""Checks and verdicts: a verdict and a reason, never a boolean (rule 3: not checked is not passed)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.base import Contract, RetentionClass, retained


class CheckName(StrEnum):
    """Every check Corridor knows. The names are fixed; a new check is a new name."""

    MRZ_READ = "mrz_read"
    MRZ_CHECK_DIGITS = "mrz_check_digits"
    MRZ_EXPIRY = "mrz_expiry"
    MRZ_VIZ = "mrz_viz"
    MRZ_INFRARED = "mrz_infrared"
    PAGE_ULTRAVIOLET = "page_ultraviolet"
    PAGE_PORTRAIT = "page_portrait"
    ACCESS = "access"
    CARDACCESS_DG14 = "cardaccess_dg14"
    SOD_SIGNATURE = "sod_signature"
    DS_CHAIN = "ds_chain"
    DS_VALIDITY = "ds_validity"
    REVOCATION = "revocation"
    DG_HASHES = "dg_hashes"
    COM_SOD = "com_sod"
    DG1_MRZ = "dg1_mrz"
    ISSUER_COUNTRY = "issuer_country"
    ACTIVE_AUTHENTICATION = "active_authentication"
    CHIP_AUTHENTICATION = "chip_authentication"
    FACE_MATCH = "face_match"
    FACE_QUALITY = "face_quality"
    PRESENTATION_ATTACK = "presentation_attack"
    BAG_TAG = "bag_tag"
    BAG_WEIGHT = "bag_weight"


DOCUMENT_CHECKS: tuple[CheckName, ...] = tuple(CheckName)[:19]
PRINTED_CHECKS: tuple[CheckName, ...] = DOCUMENT_CHECKS[:7]
"""What is told by the printed page alone; the other checks of a document need its chip."""
FACE_CHECKS: tuple[CheckName, ...] = (CheckName.FACE_MATCH, CheckName.FACE_QUALITY, CheckName.PRESENTATION_ATTACK)
BAG_CHECKS: tuple[CheckName, ...] = (CheckName.BAG_TAG, CheckName.BAG_WEIGHT)


class Verdict(StrEnum):
    """PASSED is the only verdict that can lead to green."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_PRESENT = "NOT_PRESENT"  # the thing to check does not exist
    NOT_CHECKED = "NOT_CHECKED"  # it exists or may exist, and nobody looked
    ERROR = "ERROR"  # somebody looked and could not tell


CheckReason = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]


class Check(Contract):
    """One check's answer. `reason` is a stable code in words (`hash_mismatch_dg2`), never free text.

    `defects` are the ways in which what was looked at misses its standard and was read all the same
    (`split_string`): they change no verdict, and none is forgotten.
    """

    name: CheckName = retained(RetentionClass.OUTCOME)
    verdict: Verdict = retained(RetentionClass.OUTCOME)
    reason: CheckReason = retained(RetentionClass.OUTCOME)
    defects: tuple[CheckReason, ...] = retained(RetentionClass.OUTCOME, default=(), max_length=16)
