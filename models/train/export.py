"""checkpoint -> click.onnx: fp32 graph, weights stored as fp16. usage: export.py v.pt click.onnx

The graph ends before the last layer, a 1x1 convolution to logits and bilinear x2: that one is read from the file's
metadata (`last_layer`), so that a folder's own can take its place, and a core saves the time to write logits 16 wide.
"""
import json, os, sys, time
import numpy as np, onnx, onnxruntime as ort, torch
from onnx import numpy_helper as nh, helper as h, TensorProto as T
from net import Conv, Net, up

def folded(conv):
    """weight and bias of a convolution with its batch norm in it"""
    c, b = [m for m in conv if isinstance(m, (torch.nn.Conv2d, torch.nn.BatchNorm2d))]
    k = b.weight/torch.sqrt(b.running_var+b.eps)
    return (c.weight*k[:, None, None, None]).detach(), (b.bias-b.running_mean*k).detach()

class Out(torch.nn.Module):
    """the features; a convolution of joined channels as the sum of two, which need not be joined: 5 % less time"""
    def __init__(s, n):
        super().__init__(); s.n = n; w, b = folded(n.l2); left = n.l2[0].in_channels-n.p2[1].out_channels
        s.of_image, s.of_prompt = torch.nn.Conv2d(left, len(b), 1), torch.nn.Conv2d(w.shape[1]-left, len(b), 1, bias=False)
        s.of_image.weight.data, s.of_image.bias.data, s.of_prompt.weight.data = w[:, :left].clone(), b, w[:, left:].clone()
    def forward(s, image, prompt):
        f2, x = s.n.image_features(image); y, p2 = s.n.decode(x, prompt)
        return s.n.u2(y + torch.clamp(s.of_image(f2)+s.of_prompt(p2), 0, 6))

def imported(path):
    """the state of a Net that gives what an exported file gives: norms change nothing, as the kernels hold them"""
    m = onnx.load(path); net = Net(); state, modules = net.state_dict(), dict(net.named_modules())
    held = {t.name: torch.from_numpy(nh.to_array(t).astype(np.float32)) for t in m.graph.initializer}
    stored = {n.output[0]: n.input[0] for n in m.graph.node if n.op_type == 'Cast'}
    def put(name, weight, bias):
        at, _, index = name.rpartition('.')
        state[name+'.weight'] = weight
        if not isinstance(modules[at], Conv): state[name+'.bias'] = bias; return
        norm = f'{at}.{int(index)+1}'; unit = torch.ones(len(weight))
        state.update({norm+'.weight': unit, norm+'.bias': bias, norm+'.running_mean': 0*unit, norm+'.running_var': unit-modules[norm].eps})
    joined = {}
    for node in m.graph.node:
        if node.op_type != 'Conv': continue
        *above, last = node.name.split('/')[1:-1]; values = [held[stored.get(i, i)] for i in node.input[1:]]
        if last.startswith('of_'): joined[last] = values; continue
        if above[0] == 'stem' or above[0].startswith('blocks'): last = '.'.join(['enc', *above[:-1], last])
        put(last, *values)
    put('l2.0', torch.cat([joined['of_image'][0], joined['of_prompt'][0]], 1), joined['of_image'][1])
    *weight, bias = json.loads(next(p.value for p in m.metadata_props if p.key == 'last_layer'))
    state['out.weight'], state['out.bias'] = torch.tensor(weight).reshape(state['out.weight'].shape), torch.tensor([bias])
    net.load_state_dict(state)
    return state

def half(path):
    """stores larger weights as fp16; they are computed with as fp32"""
    m = onnx.load(path); g = m.graph; new, casts = [], []
    for t in g.initializer:
        if t.data_type == T.FLOAT and int(np.prod(t.dims)) >= 256:
            new.append(nh.from_array(nh.to_array(t).astype(np.float16), t.name+'_h')); casts.append(h.make_node('Cast', [t.name+'_h'], [t.name], to=T.FLOAT))
        else: new.append(t)
    del g.initializer[:]; g.initializer.extend(new); nodes = list(g.node); del g.node[:]; g.node.extend(casts+nodes)
    return m

def main(src, dst):
    net = Net(); net.load_state_dict(torch.load(src, map_location='cpu')['ema']); net.eval()
    ax = {0: 'n', 2: 'h', 3: 'w'}
    torch.onnx.export(Out(net).eval(), (torch.randn(2, 3, 256, 256), torch.rand(2, 4, 256, 256)), dst, input_names=['image', 'prompt'],
                      output_names=['features'], opset_version=17, dynamo=False, dynamic_axes={'image': ax, 'prompt': ax, 'features': {0: 'n', 2: 'h2', 3: 'w2'}})
    layer = net.out.weight.flatten().tolist()+net.out.bias.tolist()
    m = half(dst); h.set_model_props(m, {'last_layer': json.dumps(layer)})
    onnx.checker.check_model(m); onnx.save(m, dst); print(dst, os.path.getsize(dst)/1e6, 'MB')
    o = ort.SessionOptions(); o.intra_op_num_threads = 1; s = ort.InferenceSession(dst, o, providers=['CPUExecutionProvider'])
    weight, bias = np.float32(layer[:-1]), layer[-1]
    for S in (256, 320, 384):
        x, p = torch.randn(1, 3, S, S), torch.rand(1, 4, S, S); f = {'image': x.numpy(), 'prompt': p.numpy()}
        with torch.no_grad(): ref = net(x, p)
        got = up(torch.from_numpy(np.einsum('k,nkhw->nhw', weight, s.run(None, f)[0])[:, None]+bias)); ts = []
        for _ in range(15): t = time.perf_counter(); s.run(None, f); ts.append(1000*(time.perf_counter()-t))
        off = (got-ref).abs().max().item()
        if off > 0.1: sys.exit(f'{dst}: logits differ from PyTorch by {off:.3f} at {S} px: not to be used')
        print(S, 'max diff', off, 'range', (ref.max()-ref.min()).item(), 'ms min', min(ts), 'median', sorted(ts)[7])

if __name__ == '__main__': main(*sys.argv[1:3])
