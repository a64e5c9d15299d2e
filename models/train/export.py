"""checkpoint -> click.onnx, which computes in eight bits. usage: export.py v.pt click.onnx

The graph ends before the last layer, a 1x1 convolution to logits and bilinear x2: that one is read from the file's
metadata (`last_layer`), so that a folder's own can take its place, and a core saves the time to write logits 16 wide.
"""
import json, os, sys, time
import cv2, numpy as np, onnx, onnxruntime as ort, torch, torch.nn.functional as F
from onnx import numpy_helper as nh, helper as h
import data as D
from net import Conv, Net, padding, up, weights

# ONNX Runtime's depthwise kernels take 16 channels at a time and the rest one by one: the last 24 are computed as 32
ALIGNED = 32
PHOTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../assets/chelsea.png')

class Out(torch.nn.Module):
    """the features, with kernels that are constants"""
    def __init__(s, net):
        super().__init__(); s.net = net; net.hold(); more = ALIGNED-net.out.in_channels
        across, mixed = net.u2[0], net.u2[1]
        for m in (net.to2, net.l2, across): w, b = m.held; m.held = F.pad(w, (0, 0)*3+(0, more)), F.pad(b, (0, more))
        w, b = mixed.held; mixed.held = F.pad(w, (0, 0)*2+(0, more)), b
    def forward(s, image, prompt): return s.net.features(*s.net.image_features(image), prompt)

class Graph:
    """where the values of an ONNX graph come from"""
    def __init__(s, graph):
        s.made = {o: n for n in graph.node for o in n.output}
        s.held = {t.name: nh.to_array(t) for t in graph.initializer}
        s.held.update({n.output[0]: nh.to_array(n.attribute[0].t) for n in graph.node if n.op_type == 'Constant'})
    def by(s, name, op): n = s.made.get(name); return n if n is not None and n.op_type == op else None
    def value(s, name):
        """of a constant, also of one that is stored as integers"""
        n = s.by(name, 'DequantizeLinear')
        if n is None: return s.held[name]
        q, scale = s.held[n.input[0]], s.held[n.input[1]]
        return q.astype(np.float32)*scale.reshape(-1, *[1]*(q.ndim-1))

def integers(m):
    """kernels and biases of convolutions of eight-bit values as the integers that the runtime computes with; paddings as their own"""
    g = m.graph; found, stored, nodes = Graph(g), [], []
    def store(name, values, scale):
        held = {'q': values, 'scale': np.float32(scale), 'zero': np.zeros(len(scale), values.dtype)}
        stored.extend(nh.from_array(v, f'{name}_{k}') for k, v in held.items())
        nodes.append(h.make_node('DequantizeLinear', [f'{name}_{k}' for k in held], [name], axis=0)); return name
    for n in g.node:
        if n.op_type == 'Conv':
            pad = found.by(n.input[0], 'Pad')
            if pad is not None:
                of = {a.name: a for a in n.attribute}; n.input[0] = pad.input[0]
                of['pads'].CopyFrom(h.make_attribute('pads', [p for p in padding(of['kernel_shape'].ints[0], of['strides'].ints[0]) for _ in 'yx']))
            source = found.by(n.input[0], 'DequantizeLinear')
            if source is not None:
                w = found.held[n.input[1]]; b = found.held[n.input[2]] if len(n.input) > 2 else np.zeros(len(w), np.float32)
                step = np.maximum(np.abs(w).max((1, 2, 3))/63, 1e-6); of_sum = step*found.held[source.input[1]]
                kernel = store(n.name+'_kernel', np.rint(w/step[:, None, None, None]).astype(np.int8), step)
                del n.input[1:]; n.input.extend([kernel, store(n.name+'_bias', np.rint(b/of_sum).astype(np.int32), of_sum)])
        nodes.append(n)
    needed, kept = {o.name for o in g.output}, []
    for n in reversed(nodes):
        if needed.intersection(n.output): kept.append(n); needed.update(n.input)
    held = [t for t in [*g.initializer, *stored] if t.name in needed]
    del g.node[:]; g.node.extend(reversed(kept)); del g.initializer[:]; g.initializer.extend(held)
    return m

def last_layer(m):
    *weight, bias = json.loads(next(p.value for p in m.metadata_props if p.key == 'last_layer'))
    return np.float32(weight), bias

class Exported:
    """an exported file, to be called as a Net"""
    def __init__(s, path, threads=0):
        o = ort.SessionOptions(); o.intra_op_num_threads = threads; s.layer = last_layer(onnx.load(path))
        s.session = ort.InferenceSession(path, o, providers=['CPUExecutionProvider'])
    def __call__(s, image, prompt):
        weight, bias = s.layer; features = s.session.run(None, {'image': image.numpy(), 'prompt': prompt.numpy()})[0]
        return up(torch.from_numpy(np.einsum('k,nkhw->nhw', weight, features)[:, None]+bias))

def imported(path):
    """the state of a Net that gives what an exported file gives: norms change nothing, as the kernels hold them"""
    m = onnx.load(path); net = Net(); state, modules = net.state_dict(), dict(net.named_modules()); found, joined = Graph(m.graph), []
    def module(node):
        parts = []
        for p in node.name.split('/')[1:-1]:
            if parts and p.startswith(parts[-1]+'.'): parts.pop()
            parts.append(p)
        return '.'.join(['enc', *parts] if parts and parts[0].startswith(('stem', 'blocks')) else parts)
    def put(name, weight, bias=None):
        of = modules[name]; held = of.convolution if isinstance(of, Conv) else of; o, i = held.weight.shape[:2]
        weight, bias = (torch.from_numpy(np.array(v, np.float32)) for v in (weight[:o, :i], bias[:o]))
        if held is of: state.update({name+'.weight': weight, name+'.bias': bias}); return
        at = int(of.padded); unit = torch.ones(o); state[f'{name}.{at}.weight'] = weight; norm = f'{name}.{at+1}.'
        state.update({norm+'weight': unit, norm+'bias': bias, norm+'running_mean': 0*unit, norm+'running_var': unit-of.norm.eps})
    for n in m.graph.node:
        if n.op_type == 'Conv':
            values = [found.value(i) for i in n.input[1:]]
            if module(n): put(module(n), *values)
            else: joined.append(values)
        if n.op_type == 'QuantizeLinear':
            step, zero = (float(found.held[i]) for i in n.input[1:]); state[module(n)+'.range'] = torch.tensor([-zero*step, (255-zero)*step])
    put('l2', np.concatenate([w for w, _ in joined], 1), joined[0][1])
    weight, bias = last_layer(m); state['out.weight'], state['out.bias'] = torch.from_numpy(weight).reshape(state['out.weight'].shape), torch.tensor([bias])
    net.load_state_dict(state)
    return state

def main(src, dst):
    def trained(): net = Net(); net.load_state_dict(weights(src)); net.eval().eight_bits(); return net
    net, ax = trained(), {0: 'n', 2: 'h', 3: 'w'}
    for m in net.kernels(): m.bits = 0      # `integers` rounds them
    with torch.no_grad():
        torch.onnx.export(Out(net).eval(), (torch.randn(2, 3, 256, 256), torch.rand(2, 4, 256, 256)), dst, input_names=['image', 'prompt'],
                          output_names=['features'], opset_version=17, dynamo=False, dynamic_axes={'image': ax, 'prompt': ax, 'features': {0: 'n', 2: 'h2', 3: 'w2'}})
    m = integers(onnx.load(dst)); h.set_model_props(m, {'last_layer': json.dumps(net.out.weight.flatten().tolist()+net.out.bias.tolist())})
    onnx.checker.check_model(m); onnx.save(m, dst); print(dst, os.path.getsize(dst)/1e6, 'MB')
    net, exported, photo = trained(), Exported(dst, 1), cv2.imread(PHOTO)[:, :, ::-1]
    for S in (256, 320, 384):
        x = torch.from_numpy(((cv2.resize(photo, (S, S), interpolation=cv2.INTER_AREA)/255-D.MEAN)/D.STD).astype(np.float32).transpose(2, 0, 1)[None].copy())
        p = torch.zeros(1, 4, S, S); D.disk(p[0, 0].numpy(), S/2, S/2); ts = []
        with torch.no_grad(): ref = net(x, p)
        got = exported(x, p)
        for _ in range(15): t = time.perf_counter(); exported.session.run(None, {'image': x.numpy(), 'prompt': p.numpy()}); ts.append(1000*(time.perf_counter()-t))
        off = (got-ref).abs().mean().item(); iou = (((got > 0) & (ref > 0)).sum()/((got > 0) | (ref > 0)).sum()).item()
        if off > 0.2 or iou < 0.97: sys.exit(f'{dst}: at {S} px logits differ from PyTorch by {off:.3f} in the mean, masks by IoU {iou:.3f}: not to be used')
        print(S, 'mean difference of logits', off, 'IoU', iou, 'ms min', min(ts), 'median', sorted(ts)[7])

if __name__ == '__main__': main(*sys.argv[1:3])
