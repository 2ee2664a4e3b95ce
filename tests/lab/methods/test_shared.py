import torch

from samelight.lab.losses.pixel import foreground_absolute_error, foreground_squared_error
from samelight.lab.methods.shared import PixelLoss, UNetShape, make_unet, pixel_losses
from samelight.lab.nn.heads import BlendHead
from samelight.lab.nn.norms import RAIN

SHAPE = UNetShape(channels=(8, 16, 24), blocks=2, decoder_blocks=3, stem_stride=2, head="blend")


def test_the_shape_is_the_networks():
    unet = make_unet(SHAPE, RAIN)
    assert unet.channels == (8, 16, 24)
    assert unet.multiple_of == 8
    assert [len(stage) for stage in unet.encoder] == [2, 2, 2]
    assert [len(stage) for stage in unet.decoder] == [3, 3]
    assert [fuse.get_parameter("scale").shape[1] for fuse in unet.fuse] == [8, 16]
    assert isinstance(unet.head, BlendHead)
    image, mask = torch.rand(1, 3, 32, 16), torch.ones(1, 1, 32, 16)
    assert unet.decode(unet.encode(image, mask), image, mask).shape == image.shape


def test_the_total_is_the_weighted_sum():
    torch.manual_seed(0)
    image, real = torch.rand(2, 3, 16, 16, requires_grad=True), torch.rand(2, 3, 16, 16)
    mask = (torch.rand(2, 1, 16, 16) > 0.5).float()
    loss = PixelLoss(squared_weight=3.0, absolute_weight=0.5)
    total, terms = pixel_losses(image, real, mask, loss)
    assert set(terms) == {"squared", "absolute"}
    assert torch.equal(terms["squared"], foreground_squared_error(image, real, mask))
    assert torch.equal(terms["absolute"], foreground_absolute_error(image, real, mask))
    torch.testing.assert_close(total, 3 * terms["squared"] + 0.5 * terms["absolute"])
    total.backward()
    stepped = image.detach() - 1e-2 * image.grad.sign()
    assert pixel_losses(stepped, real, mask, loss).total < total


def test_as_configured_both_terms_weigh_the_same_at_a_twelfth():
    real, mask = torch.full((1, 3, 16, 16), 0.5), torch.ones(1, 1, 16, 16)
    total, terms = pixel_losses(real + 1 / 12, real, mask, PixelLoss())
    torch.testing.assert_close(total, 2 * terms["absolute"])
