"""checkpoint -> click.onnx, which computes in eight bits. usage: export.py v.pt click.onnx

The graph ends before the last layer, a 1x1 convolution to logits and bilinear x2: that one is read from the file's
metadata (`last_layer`), so that a folder's own can take its place, and a core saves the time to write logits 16 wide.

Picture, prompt and features are bytes, channels last, as they are held outside and computed inside. Of the first two a cell
holds two by two pixels, the upper two first: a kernel of 3x3 at every second pixel is one of 2x2 at every cell, which reads
longer rows.

What the program has kernels of its own for (src/segment/click/kernels) the file calls as a function of ONNX's operators: where
it is not given the kernels ONNX Runtime computes those.
"""
import json, os, sys, time
from collections import Counter
import cv2, numpy as np, onnx, onnxruntime as ort, torch, torch.nn.functional as F
from onnx import numpy_helper as nh, helper as h, TensorProto
import data as D
from net import Conv, Net, padding, up, weights

# ONNX Runtime's depthwise kernels take 16 channels at a time and the rest one by one: the last 24 are computed as 32
ALIGNED = 32
# of more channels than FEW ONNX Runtime makes many as fast as they can be made, more than MANY of any
FEW, MANY = 48, 64
OPSET, FIRST, LAST = 17, [0, 3, 1, 2], [0, 2, 3, 1]     # channels first and last
PHOTO, *OTHERS = (os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../assets', name+'.png') for name in ('chelsea', 'astronaut', 'coffee'))
# a byte of the picture is this many of the training's units above the byte that stands for none
UNIT, NONE = 1/(255*D.STD), round(255*D.MEAN)

def cells(x):
    """[n,c,h,w] -> [n,h/2,w/2,4c]"""
    n, c, H, W = x.shape; return x.reshape(n, c, H//2, 2, W//2, 2).transpose(0, 2, 4, 3, 5, 1).reshape(n, H//2, W//2, 4*c)

def kernel_of_cells(w):
    """[o,c,3,3] for every second pixel -> [o,4c,2,2] for every cell"""
    w = np.pad(w, ((0, 0), (0, 0), (0, 1), (0, 1))); o, c = w.shape[:2]
    return w.reshape(o, c, 2, 2, 2, 2).transpose(0, 3, 5, 1, 2, 4).reshape(o, 4*c, 2, 2)

def kernel_of_pixels(w):
    """and back"""
    o, c = w.shape[:2]; w = w.reshape(o, 2, 2, c//4, 2, 2).transpose(0, 3, 4, 1, 5, 2)
    return w.reshape(o, c//4, 4, 4)[..., :3, :3]

def nearest(kernels, moments):
    """kernels [o,i] in seven bits, so that they make the same of inputs with these second moments [i,i] as nearly as can be: from
    the nearest values on, one or two of a kernel go to a neighbour as long as that helps; the largest stays"""
    n = kernels.shape[1]; ways = np.repeat([1, -1], n); alike = np.tile(moments, (2, 2))*np.outer(ways, ways); out = []
    for k in kernels:
        step = max(np.abs(k).max(), 1e-6)/63; q = np.rint(k/step)
        while True:
            one = 2*ways*np.tile((q-k/step)@moments, 2)+np.diag(alike)
            one[np.tile(np.arange(n), 2) == np.abs(k).argmax()] = np.inf; one[np.abs(np.tile(q, 2)+ways) > 63] = np.inf
            both = one[:, None]+one+2*alike; np.fill_diagonal(both, one); chosen = np.unravel_index(both.argmin(), both.shape)
            if not both[chosen] < -1e-9: break
            for c in set(chosen): q[c % n] += ways[c]
        out.append(q*step)
    return np.float32(out)

def settle(stem):
    """the stem, which is trained in floats, in seven bits"""
    with torch.no_grad(): w, b = stem.folded()
    photos = [torch.from_numpy(np.float64(cv2.imread(p)[None, :, :, ::-1].copy())).permute(0, 3, 1, 2) for p in (PHOTO, *OTHERS)]
    seen = torch.cat([F.unfold((x-NONE)*UNIT, 3, stride=2)[0] for x in photos], 1).numpy()
    w = torch.from_numpy(nearest(w.flatten(1).double().numpy(), seen@seen.T/seen.shape[1])).reshape(w.shape)
    for held, value in ((stem.convolution.weight, w), (stem.norm.weight, 1), (stem.norm.bias, b), (stem.norm.running_mean, 0), (stem.norm.running_var, 1-stem.norm.eps)):
        with torch.no_grad(): held.copy_(torch.as_tensor(value))

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
        return s.held[name] if n is None else s.counted(*n.input[:2])
    def counted(s, name, scale):
        q, scale = s.held[name], s.held[scale]
        return q.astype(np.float32)*scale.reshape(-1, *[1]*(q.ndim-1))

def in_bytes(m):
    """a graph that is given its inputs as bytes and gives the features' bytes"""
    g = m.graph; found, nodes = Graph(g), []; step = float(found.held[found.by('features', 'DequantizeLinear').input[1]])
    g.initializer.extend([nh.from_array(np.float32(UNIT), 'unit'), nh.from_array(np.uint8(NONE), 'none')])
    nodes += [h.make_node('Transpose', ['image'], ['pixels'], perm=FIRST), h.make_node('DequantizeLinear', ['pixels', 'unit', 'none'], ['picture'])]
    for n in g.node:
        if n.op_type == 'QuantizeLinear' and n.input[0] == 'prompt': n = h.make_node('Transpose', ['prompt'], n.output, perm=FIRST)
        if n.output[0] == 'features': n = h.make_node('Transpose', [n.input[0]], n.output, perm=LAST)
        for k, name in enumerate(n.input):
            if name == 'image': n.input[k] = 'picture'
        nodes.append(n)
    del g.node[:]; g.node.extend(nodes); del g.value_info[:]
    for value, shape in ((g.input[0], ['h/2', 'w/2', 12]), (g.input[1], ['h/2', 'w/2', 16]), (g.output[0], ['h/2', 'w/2', 24])):
        value.CopyFrom(h.make_tensor_value_info(value.name, TensorProto.UINT8, ['n', *shape]))
    return m, step

def by_cells(m):
    """the kernels that see picture and prompt, for cells of two by two pixels"""
    g = m.graph; found = Graph(g); held = {t.name: t for t in g.initializer}
    for n in g.node:
        source = found.by(n.input[0], 'DequantizeLinear') if n.op_type == 'Conv' else None
        source = source and found.by(source.input[0], 'Transpose')
        if not source or source.input[0] not in ('image', 'prompt'): continue
        kernel = held[found.by(n.input[1], 'DequantizeLinear').input[0]]; kernel.CopyFrom(nh.from_array(kernel_of_cells(nh.to_array(kernel)), kernel.name))
        for a in n.attribute:
            if a.name in ('kernel_shape', 'strides'): a.CopyFrom(h.make_attribute(a.name, [2, 2] if a.name == 'kernel_shape' else [1, 1]))
    return m

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
    return with_nodes(m, nodes, stored)

def with_nodes(m, nodes, stored=()):
    """a graph of these nodes, without those that nothing needs"""
    g = m.graph; needed, kept = {o.name for o in g.output}, []
    for n in reversed(nodes):
        if needed.intersection(n.output): kept.append(n); needed.update(n.input)
    held = [t for t in [*g.initializer, *stored] if t.name in needed]
    del g.node[:]; g.node.extend(reversed(kept)); del g.initializer[:]; g.initializer.extend(held)
    return m

def value(of, source=None): return h.make_node('DequantizeLinear', [source or of, of+'_scale', of+'_zero'], [of+'_value'], axis=0 if of.endswith(('kernel', 'bias')) else 1)
def rounded(of, source): return h.make_node('QuantizeLinear', [source, of+'_scale', of+'_zero'], [of+'_first'])
def turned(of, way): return h.make_node('Transpose', [of if way == FIRST else of+'_first'], [of+'_first' if way == FIRST else of], perm=way)

OF_CONV = {'group': onnx.AttributeProto.INT, 'strides': onnx.AttributeProto.INTS, 'pads': onnx.AttributeProto.INTS}
EXPAND, CONV, PROJECT = 'expand_', '', 'project_'

def function(name, inputs, nodes):
    """of pictures of bytes, channels last"""
    nodes = [turned('x', FIRST), value('x', 'x_first'), *nodes, rounded('y', 'y_sum'), turned('y', LAST)]
    return h.make_function('termask', name, ' '.join(inputs).split(), ['y'], nodes, [h.make_opsetid('', OPSET)], list({a.ref_attr_name: 0 for n in nodes for a in n.attribute if a.ref_attr_name}))

def level(of): return f'{of}_scale {of}_zero'
def held(of): return f'{of} {level(of)}'
def kernels(of): return f'{held(of+"kernel")} {held(of+"bias")}'
def convolved(x, of, y):
    """a convolution; CONV has attributes, the others are of single cells"""
    conv = h.make_node('Conv', [x+'_value', of+'kernel_value', of+'bias_value'], [y+'_sum'])
    if of == CONV: conv.attribute.extend(onnx.AttributeProto(name=k, ref_attr_name=k, type=v) for k, v in OF_CONV.items())
    return [value(of+'kernel'), value(of+'bias'), conv]
def counted(y): return [rounded(y, y+'_sum'), value(y, y+'_first')]
def convolutions(name, *all):
    """one after the other"""
    x, inputs, nodes = 'x', [held('x')], []
    for of in all:
        y = 'y' if of == all[-1] else of+'made'
        inputs += [kernels(of), level(y)]; nodes += ([] if x == 'x' else counted(x))+convolved(x, of, y); x = y
    return function(name, inputs, nodes)

FUNCTIONS = [
    convolutions('Conv', CONV), convolutions('ExpandConv', EXPAND, CONV), convolutions('ConvProject', CONV, PROJECT), convolutions('ExpandConvProject', EXPAND, CONV, PROJECT),
    function('ConvAdd', [f'{held(x)} {kernels(x+"_")} {level(x+"_made")}' for x in ('x', 'other')]+[level('y')], [
        *convolved('x', 'x_', 'x_made'), *counted('x_made'), turned('other', FIRST), value('other', 'other_first'), *convolved('other', 'other_', 'other_made'), *counted('other_made'),
        h.make_node('Add', ['x_made_value', 'other_made_value'], ['y_sum'])]),
    function('UpsampleAdd', [held('x'), level('large'), held('other'), level('y')], [
        h.make_node('Constant', [], ['twice'], value=nh.from_array(np.float32([1, 1, 2, 2]))), h.make_node('Resize', ['x_value', '', 'twice'], ['large_sum'], mode='linear'),
        *counted('large'), turned('other', FIRST), value('other', 'other_first'), h.make_node('Add', ['large_value', 'other_value'], ['y_sum'])])]

def in_functions(m):
    """what the program has kernels for: convolutions of more than single cells, those of single channels together with those of single
    cells that see few before them or make few behind them; other ones of single cells that make few, also the sum of two; enlarging
    with what is added to it"""
    g = m.graph; found, nodes, uses = Graph(g), [], Counter(k for n in g.node for k in n.input)
    def call(op, name, inputs, output, **more):
        given = []
        for k in inputs:
            if k in found.held: given.append(k); continue
            given.append(f'{output}/{k}'); nodes.append(h.make_node('Transpose', [k], [given[-1]], perm=LAST))
        nodes.extend([h.make_node(op, given, [output+'/last'], name=name, domain='termask', **more), h.make_node('Transpose', [output+'/last'], [output], perm=FIRST)])
    source = lambda name, op: found.by(name, op) if name else None
    inputs = lambda *names: [k for name in names for k in found.by(name, 'DequantizeLinear').input]
    def rounded(name, op):
        """the operator whose bytes these are"""
        n = source(name, 'DequantizeLinear'); n = n and source(n.input[0], 'QuantizeLinear'); return n and source(n.input[0], op)
    kernel = lambda conv: found.held[inputs(conv.input[1])[0]].shape
    is_pointwise = lambda conv: kernel(conv)[2] == 1 and not rounded(conv.input[0], 'GlobalAveragePool')
    is_narrow = lambda conv: is_pointwise(conv) and kernel(conv)[0] <= MANY
    attributes = lambda conv: {a.name: a.ints or a.i for a in conv.attribute if a.name in OF_CONV}
    is_of_each = lambda conv: attributes(conv)['group'] > 1
    is_used_once = lambda name: uses[name] == uses[inputs(name)[0]] == 1
    def before(conv, fits): n = is_used_once(conv.input[0]) and rounded(conv.input[0], 'Conv'); return n if n and fits(n) else None
    for n in g.node:
        conv, total = (source(n.input[0], op) if n.op_type == 'QuantizeLinear' else None for op in ('Conv', 'Add'))
        if conv:
            of_each = conv if is_of_each(conv) else before(conv, is_of_each) if is_narrow(conv) else None
            expand = of_each and before(of_each, lambda n: is_pointwise(n) and kernel(n)[1] <= FEW)
            if of_each or is_narrow(conv) or kernel(conv)[2] > 1:
                middle = of_each or conv; project = conv if conv is not middle else None; chain = [c for c in (expand, middle, project) if c]
                given = [k for c in chain for k in inputs(*c.input)[0 if c is chain[0] else 1:]]+list(n.input[1:])
                call('Expand'*bool(expand)+'Conv'+'Project'*bool(project), conv.name, given, n.output[0], **attributes(middle)); continue
        if total:
            large, both = (next((i for i in total.input if rounded(i, 'Resize')), None), [rounded(i, 'Conv') for i in total.input])
            if large:
                other, = (i for i in total.input if i != large); q = source(inputs(large)[0], 'QuantizeLinear')
                call('UpsampleAdd', q.name, [*inputs(rounded(large, 'Resize').input[0]), *q.input[1:], *inputs(other), *n.input[1:]], n.output[0]); continue
            if all(both) and all(map(is_narrow, both)) and all(map(is_used_once, total.input)):
                given = [k for c, i in zip(both, total.input) for k in inputs(*c.input)+inputs(i)[1:]]
                call('ConvAdd', total.name, [*given, *n.input[1:]], n.output[0]); continue
        nodes.append(n)
    m.opset_import.append(h.make_opsetid('termask', 1)); m.functions.extend(FUNCTIONS)
    return with_nodes(m, nodes)

def said(m, key): return json.loads(next(p.value for p in m.metadata_props if p.key == key))

def last_layer(m): *weight, bias = said(m, 'last_layer'); return np.float32(weight), bias

class Exported:
    """an exported file, to be called as a Net"""
    def __init__(s, path, threads=0):
        o = ort.SessionOptions(); o.intra_op_num_threads = threads; m = onnx.load(path)
        s.layer, s.step = last_layer(m), said(m, 'step')
        s.session = ort.InferenceSession(path, o, providers=['CPUExecutionProvider'])
    def __call__(s, image, prompt):
        weight, bias = s.layer; features = s.session.run(None, s.inputs(image, prompt))[0]
        return up(torch.from_numpy((features@(weight*np.float32(s.step)))[:, None]+np.float32(bias)))
    @staticmethod
    def inputs(image, prompt): return {k: np.uint8(np.rint(cells(v.numpy()))) for k, v in (('image', image/UNIT+NONE), ('prompt', 255*prompt))}

def imported(path):
    """the state of a Net that gives what an exported file gives: norms change nothing, as the kernels hold them"""
    m = onnx.load(path); net = Net(); state, modules = net.state_dict(), dict(net.named_modules()); found, joined = Graph(m.graph), []
    def module(name):
        parts = []
        for p in name.split('/')[1:-1]:
            if parts and p.startswith(parts[-1]+'.'): parts.pop()
            parts.append(p)
        return '.'.join(['enc', *parts] if parts and parts[0].startswith(('stem', 'blocks')) else parts)
    def put(name, weight, bias=None):
        of = modules[name]; held = of.convolution if isinstance(of, Conv) else of; o, i = held.weight.shape[:2]
        weight, bias = (torch.from_numpy(np.array(v, np.float32)) for v in (weight[:o, :i], bias[:o]))
        if held is of: state.update({name+'.weight': weight, name+'.bias': bias}); return
        at = int(of.padded); unit = torch.ones(o); state[f'{name}.{at}.weight'] = weight; norm = f'{name}.{at+1}.'
        state.update({norm+'weight': unit, norm+'bias': bias, norm+'running_mean': 0*unit, norm+'running_var': unit-of.norm.eps})
    def spans(name, step, zero): step, zero = (float(found.held[i]) for i in (step, zero)); state[module(name)+'.range'] = torch.tensor([-zero*step, (255-zero)*step])
    def read(name, values):
        if values[0].shape[2:] == (2, 2): values[0] = kernel_of_pixels(values[0])
        if module(name): put(module(name), *values)
        else: joined.append(values)
    for n in m.graph.node:
        if n.op_type == 'QuantizeLinear': spans(n.name, *n.input[1:])
        if n.op_type == 'Conv' and not n.domain: read(n.name, [found.value(i) for i in n.input[1:]])
        if not n.domain: continue
        ranges = [3, len(n.input)-2] if n.op_type == 'UpsampleAdd' else [len(n.input)-2]
        for at, name in enumerate(n.input):
            if name.endswith('_kernel_q'): read(name, [found.counted(*n.input[i:i+2]) for i in (at, at+3)]); ranges.append(at+6)
        for at in ranges: spans(n.input[at], *n.input[at:at+2])
    put('l2', np.concatenate([w for w, _ in joined], 1), joined[0][1])
    weight, bias = last_layer(m); state['out.weight'], state['out.bias'] = torch.from_numpy(weight).reshape(state['out.weight'].shape), torch.tensor([bias])
    net.load_state_dict(state)
    return state

def main(src, dst):
    def trained(): net = Net(); net.load_state_dict(weights(src)); settle(net.enc.stem); net.eval().eight_bits(); return net
    net, ax = trained(), {0: 'n', 2: 'h', 3: 'w'}
    for m in net.kernels(): m.bits = 0      # `integers` rounds them
    with torch.no_grad():
        torch.onnx.export(Out(net).eval(), (torch.randn(2, 3, 256, 256), torch.rand(2, 4, 256, 256)), dst, input_names=['image', 'prompt'],
                          output_names=['features'], opset_version=OPSET, dynamo=False, dynamic_axes={'image': ax, 'prompt': ax, 'features': {0: 'n', 2: 'h2', 3: 'w2'}})
    m, step = in_bytes(onnx.load(dst)); m = in_functions(by_cells(integers(m)))
    h.set_model_props(m, {'last_layer': json.dumps(net.out.weight.flatten().tolist()+net.out.bias.tolist()), 'step': json.dumps(step)})
    onnx.checker.check_model(m); onnx.save(m, dst); print(dst, os.path.getsize(dst)/1e6, 'MB')
    net, exported, photo = trained(), Exported(dst, 1), cv2.imread(PHOTO)[:, :, ::-1]
    for S in (256, 320, 384):
        x = torch.from_numpy(((cv2.resize(photo, (S, S), interpolation=cv2.INTER_AREA)/255-D.MEAN)/D.STD).astype(np.float32).transpose(2, 0, 1)[None].copy())
        p = torch.zeros(1, 4, S, S); D.disk(p[0, 0].numpy(), S/2, S/2); ts = []
        with torch.no_grad(): ref = net(x, p)
        got, given = exported(x, p), exported.inputs(x, p)
        for _ in range(15): t = time.perf_counter(); exported.session.run(None, given); ts.append(1000*(time.perf_counter()-t))
        off = (got-ref).abs().mean().item(); iou = (((got > 0) & (ref > 0)).sum()/((got > 0) | (ref > 0)).sum()).item()
        if off > 0.2 or iou < 0.97: sys.exit(f'{dst}: at {S} px logits differ from PyTorch by {off:.3f} in the mean, masks by IoU {iou:.3f}: not to be used')
        print(S, 'mean difference of logits', off, 'IoU', iou, 'ms min', min(ts), 'median', sorted(ts)[7])

if __name__ == '__main__': main(*sys.argv[1:3])
