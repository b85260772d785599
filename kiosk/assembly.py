"""Puts a kiosk together from its configuration: the one place that knows every part."""

from __future__ import annotations

from declarations.money import demonstration_rates
from declarations.packs import load_pack
from documents.trust import TrustStore
from hardware import registry
from kiosk.central_client import CentralClient
from kiosk.conductor import Conductor, Parts
from kiosk.config import ConfigError, KioskConfig
from kiosk.delivery import Delivery
from kiosk.face import FaceMatcher
from kiosk.faces.described import describe
from kiosk.keys import KeyFileError, load_outbox_key, load_signing_key
from kiosk.messages import Catalogue
from kiosk.models import verify_models
from kiosk.mrz.passporteye import PassportEyeReader
from kiosk.mrz.read import MrzReader
from kiosk.outbox import Outbox
from kiosk.viz import VizReader


def assemble(config: KioskConfig) -> Conductor:
    """A conductor that is not started yet. Raises ConfigError and WeightsError before any device is opened."""
    from hardware.chip.worker import ChipWorker

    try:
        signing_key = load_signing_key(config.signing_key_file)
        outbox_key = load_outbox_key(config.outbox_key_file)
        trust = TrustStore.from_directory(config.trust_dir)
        pack = load_pack(config.rule_pack)
    except (KeyFileError, ValueError, OSError) as error:
        raise ConfigError(str(error)) from None
    models = verify_models(config.models_dir)
    client = CentralClient(config.central_url, config.kiosk_id, signing_key, config.timeouts.central_s)
    outbox = Outbox(config.data_dir / "outbox.sqlite", outbox_key, config.site_id)
    return Conductor(
        Parts(
            config=config,
            devices=registry.open_devices(config.devices),
            pack=pack,
            # Only central's rates decide; these give the traveller an estimate where no real ones are at hand.
            rates=None if config.profile == "production" else demonstration_rates(),
            trust=trust,
            chip_worker=ChipWorker(),
            mrz_reader=MrzReader(),
            second_reader=PassportEyeReader(),
            viz_reader=VizReader(config.models_dir),
            load_matcher=lambda: FaceMatcher(
                config.models_dir,
                match_rate=config.face.match_rate,
                doubt_rate=config.face.doubt_rate,
                printed_match_rate=config.face.printed_match_rate,
            ),
            models=models,
            faces=describe(models, config.face),
            client=client,
            delivery=Delivery(outbox, client),
            catalogue=Catalogue.load(pseudo=config.profile != "production"),
        )
    )
