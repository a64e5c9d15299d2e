"""checkpoint -> click.onnx: fp32 graph, weights stored as fp16. usage: export.py v.pt click.onnx"""
import sys, torch, onnx, numpy as np, onnxruntime as ort
from onnx import numpy_helper as nh, helper as h, TensorProto as T
from net import Net
src, dst = sys.argv[1:3]
net = Net(); net.load_state_dict(torch.load(src)['ema']); net.eval()
class Out(torch.nn.Module):
    def __init__(s, n): super().__init__(); s.n = n
    def forward(s, image, prompt): return s.n(image, prompt, True)
x, p = torch.randn(2, 3, 256, 256), torch.rand(2, 4, 256, 256)
ax = {0: 'n', 2: 'h', 3: 'w'}
torch.onnx.export(Out(net).eval(), (x, p), dst, input_names=['image', 'prompt'], output_names=['logits', 'features'], opset_version=17, dynamo=False,
                  dynamic_axes={'image': ax, 'prompt': ax, 'logits': ax, 'features': {0: 'n', 2: 'h2', 3: 'w2'}})
m = onnx.load(dst); g = m.graph; new, casts = [], []
for t in g.initializer:
    if t.data_type == T.FLOAT and int(np.prod(t.dims)) >= 256:
        new.append(nh.from_array(nh.to_array(t).astype(np.float16), t.name+'_h')); casts.append(h.make_node('Cast', [t.name+'_h'], [t.name], to=T.FLOAT))
    else: new.append(t)
del g.initializer[:]; g.initializer.extend(new); nodes = list(g.node); del g.node[:]; g.node.extend(casts+nodes)
onnx.checker.check_model(m); onnx.save(m, dst)
o = ort.SessionOptions(); o.intra_op_num_threads = 1; s = ort.InferenceSession(dst, o, providers=['CPUExecutionProvider'])
import os, time
print(dst, os.path.getsize(dst)/1e6, 'MB')
print('last layer, for WEIGHTS and BIAS in src/segment/click/head.rs:', net.out.weight.flatten().tolist(), net.out.bias.item())
for S in (256, 320, 384):
    x, p = torch.randn(1, 3, S, S), torch.rand(1, 4, S, S)
    with torch.no_grad(): ref = net(x, p).numpy()
    f = {'image': x.numpy(), 'prompt': p.numpy()}; r = s.run(None, f); ts = []
    for _ in range(15): t = time.perf_counter(); s.run(None, f); ts.append(1000*(time.perf_counter()-t))
    if np.abs(r[0]-ref).max() > 0.1: sys.exit(f'{dst}: logits differ from PyTorch by {np.abs(r[0]-ref).max():.3f} at {S} px: not to be used')
    print(S, 'max diff', np.abs(r[0]-ref).max(), 'range', np.ptp(ref), 'features', r[1].shape, 'ms min', min(ts), 'median', sorted(ts)[7])
