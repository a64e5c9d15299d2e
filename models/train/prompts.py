"""Simulated clicks for a whole batch at once, on the device that trains."""
import torch, torch.nn.functional as F

RADIUS = 5
# clicks are sought on a grid of every second pixel
CELL = 2

def depth(m, reach=48):
    """Euclidean distance of each cell in m [n,h,w] to the nearest one outside it, the border being outside; exact up to `reach`"""
    def along(m):
        """to the last cell outside, going right"""
        i = torch.arange(1, m.shape[2]+1, device=m.device, dtype=torch.float32)
        return i-torch.where(m, 0, i).cummax(2)[0]
    rows = torch.minimum(along(m), along(m.flip(2)).flip(2))**2
    rows = F.pad(rows, (0, 0, 1, 1)); out = rows.clone()
    for k in range(1, min(reach, rows.shape[1]-1)+1):
        out[:, k:] = torch.minimum(out[:, k:], rows[:, :-k]+k*k)
        out[:, :-k] = torch.minimum(out[:, :-k], rows[:, k:]+k*k)
    return out[:, 1:-1].sqrt()

def cells(m): return F.avg_pool2d(m.float()[:, None], CELL)[:, 0] >= 0.5

def grid(prompt):
    n = torch.arange(prompt.shape[-1], device=prompt.device)
    return n[:, None], n[None, :]

def put_click(channel, d, chosen):
    """a disk in the channel [n,h,w] of every chosen sample, deep inside where d, the depth, is large: half of them at the deepest cell"""
    n, dev = len(d), d.device
    share = torch.tensor([1, 1, 1, 0.2, 0.5, 0.8], device=dev)[torch.randint(6, (n,), device=dev)]
    fit = (d > 0) & (d >= d.amax((1, 2), True)*share[:, None, None])
    at = (torch.rand_like(d)+fit).flatten(1).argmax(1)
    y, x = (CELL*v+torch.randint(CELL, (n,), device=dev) for v in (at//d.shape[2], at % d.shape[2]))
    rows, columns = grid(channel); y, x = y[:, None, None], x[:, None, None]
    on = ((rows-y)**2+(columns-x)**2 <= RADIUS**2) & (chosen & fit.any(2).any(1))[:, None, None]
    channel.masked_fill_(on, 1)

def first_click(prompt, target, chosen):
    put_click(prompt[:, 0], depth(cells(target)), chosen)

def correct(prompt, target, ignore, prob):
    """one more click per sample, at the largest error of prob, where that is wider than three pixels"""
    found = prob > 0.5; missed, wrong = depth(cells(target & ~found & ~ignore)), depth(cells(found & ~target & ~ignore))
    a, b = missed.amax((1, 2)), wrong.amax((1, 2)); least = 1.5/CELL
    put_click(prompt[:, 0], missed, (a >= b) & (a >= least))
    put_click(prompt[:, 1], wrong, (a < b) & (b >= least))

def boxes(prompt, box):
    """box [n,4]: x0, y0, x1, y1, the last two exclusive"""
    rows, columns = grid(prompt); x0, y0, x1, y1 = box.long()[:, :, None, None].unbind(1)
    prompt[:, 2] = ((columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)).to(prompt.dtype)

def blurred(prob, share):
    """as an earlier look at a crop 1/share as wide would have seen it"""
    n = max(8, int(prob.shape[-1]*share)); how = dict(mode='bilinear', align_corners=False)
    return F.interpolate(F.interpolate(prob[:, None], (n, n), **how), prob.shape[-2:], **how)[:, 0]
