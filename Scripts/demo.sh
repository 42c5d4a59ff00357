#!/bin/sh
# The demonstration behind `make demo`: trains a network until few weights are left, compiles pruned networks,
# predicts on images, and compares their speed with that of the same networks run dense. Works in a temporary folder and leaves nothing behind.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$root/.build/release:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ln -s "$root/Examples" Examples

say() { printf '\n%s\n' "$*"; }

# Shows a command, then runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# Compiles with the given arguments; shows the last lines only.
compile_briefly() {
  sparsec compile "$@" > report.txt
  tail -n 2 report.txt
}

# sparsec bench: shows its latency, and leaves the median in $milliseconds.
bench() {
  printf '\n$ sparsec bench %s\n' "$1"
  latency=$(sparsec bench "$1" | grep '^Latency: ')
  echo "$latency"
  milliseconds=$(echo "$latency" | sed 's/.*median \([0-9.]*\) ms.*/\1/')
}

# compare SPARSE.so DENSE.so: both speeds and their ratio.
compare() {
  bench "$1"
  sparse=$milliseconds
  bench "$2"
  awk -v sparse="$sparse" -v dense="$milliseconds" 'BEGIN {
    printf "\n%.3g ms sparse, %.3g ms dense: %.2f times as fast\n", sparse, dense, dense / sparse
  }'
}

say "1. Digits, drawn from a seed with bends, noise and stray lines. A LeNet learns them; then it goes on learning while
   nine in ten of its weights become zeros, the smallest first (Zhu and Gupta 2017)."
show example-digits --train 12000 --test 2000 --samples 6 --output images
cp Examples/digits/*.prototxt .
show sparsec convert mnist images/train-images-idx3-ubyte images/train-labels-idx1-ubyte -o train_lmdb
show sparsec convert mnist images/t10k-images-idx3-ubyte images/t10k-labels-idx1-ubyte -o test_lmdb
show sparsec train --solver solver.prototxt --threads 2 --log dense.log
show sparsec train --solver pruning_solver.prototxt --weights digits_iter_1500.caffemodel \
  --sparsity 0.9 --threads 2 --log sparse.log
show sparsec plot dense.log sparse.log -o digits.svg
show sparsec test --model train_test.prototxt --weights digits_iter_1500.caffemodel --iterations 20
show sparsec test --model train_test.prototxt --weights sparse_iter_1500.caffemodel --iterations 20

say "Both compiled. The file's name says what each image shows, behind the underscore:"
show sparsec compile deploy.prototxt sparse_iter_1500.caffemodel --scale 0.00390625 -o sparse.so
printf '\n$ sparsec compile deploy.prototxt digits_iter_1500.caffemodel --scale 0.00390625 -o dense.so\n'
compile_briefly deploy.prototxt digits_iter_1500.caffemodel --scale 0.00390625 -o dense.so
show sparsec run sparse.so images/samples --top 1
compare sparse.so dense.so

say "2. The shape of CaffeNet with random weights. Its convolutions are as sparse as those of the
   CaffeNet that was pruned by L1 for SkimCaffe; of the fully connected layers' weights 9 % (fc6,
   fc7) and 25 % (fc8) are left, as in Han et al. 2015. What it predicts means nothing."
show example-weights Examples/caffenet.prototxt \
  --density conv1=0.404 --density conv2=0.114 --density conv3=0.049 --density conv4=0.061 \
  --density conv5=0.092 --density fc6=0.09 --density fc7=0.09 --density fc8=0.25 \
  -o caffenet.caffemodel
show sparsec compile Examples/caffenet.prototxt caffenet.caffemodel --mean 104,117,123 -o caffenet.so
show sparsec run caffenet.so Examples/images --top 3

say "The same network with dense kernels everywhere:"
set -- Examples/caffenet.prototxt caffenet.caffemodel --mean 104,117,123 -o caffenet-dense.so
for layer in conv1 conv2 conv3 conv4 conv5; do
  set -- "$@" --kernel $layer=convolution_dense
done
for layer in fc6 fc7 fc8; do
  set -- "$@" --kernel $layer=inner_product_dense
done
printf '\n$ sparsec compile %s\n' "$*"
compile_briefly "$@"
compare caffenet.so caffenet-dense.so
rm caffenet.caffemodel

model=$root/../shared/models/squeezenet_dc
sample=$root/../shared/data/imagenet-sample
if ! [ -e "$model/deploy.prototxt" ] || ! [ -e "$sample/images.tar" ]; then
  say "3. Skipped: a real SqueezeNet with images would be taken from ../shared, which is not there."
  exit 0
fi

say "3. SqueezeNet v1.0 with Deep Compression: real weights, of which a third is left, and photographs
   (every two hundredth of a sample of ImageNet; the file's name says what it shows)."
cp "$model/deploy.prototxt" squeezenet.prototxt
cp "$sample/synset_words.txt" labels.txt
gzip -dc "$model/squeezenet_dc.caffemodel.gz" > squeezenet.caffemodel
mkdir photographs
tar -tf "$sample/images.tar" | awk 'NR % 200 == 0' > chosen.txt
tar -xf "$sample/images.tar" -C photographs -T chosen.txt
set -- squeezenet.prototxt squeezenet.caffemodel --mean 104,117,123 --labels labels.txt
printf '\n$ sparsec compile %s -o squeezenet.so\n' "$*"
compile_briefly "$@" -o squeezenet.so
show sparsec run squeezenet.so photographs --top 3

say "The same network with dense kernels everywhere:"
names=$(sed -n 's/^ *name: *"\([^"]*conv[^"]*\)".*/\1/p' squeezenet.prototxt | grep -v relu)
for layer in $names; do
  set -- "$@" --kernel "$layer=convolution_dense"
done
printf '\n$ sparsec compile … --kernel LAYER=convolution_dense … -o squeezenet-dense.so\n'
compile_briefly "$@" -o squeezenet-dense.so
compare squeezenet.so squeezenet-dense.so
