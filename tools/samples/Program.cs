using Graphene.Codegen;
using Graphene.Samples;
using Graphene.Samples.CharGpt;
using Graphene.Samples.Mnist;

// Samples that are also tests: Graph.Tests runs each with small settings.
TextWriter output = Console.Out;
switch (args)
{
    case ["xor"]:
        output.WriteLine(Xor.Run(GraphCompiler.Cpu()));
        return 0;
    case ["linear-regression"]:
        output.WriteLine(LinearRegression.Run(GraphCompiler.Cpu()));
        return 0;
    case ["sequence"]:
        output.WriteLine(SequenceMemory.Run(GraphCompiler.Cpu(), output));
        return 0;
    case ["gan"]:
        output.WriteLine(GaussianGan.Run(GraphCompiler.Cpu()));
        return 0;
    case ["maml"]:
        output.WriteLine(SineMaml.Run(GraphCompiler.Cpu()));
        return 0;
    case ["mnist", "mlp" or "cnn", var folder, "--export", var file]:
        output.WriteLine(MnistTraining.Run(GraphCompiler.Cpu(), args[1], MnistData.Load(folder), output, exportTo: file));
        return 0;
    case ["mnist", "mlp" or "cnn", var folder]:
        output.WriteLine(MnistTraining.Run(GraphCompiler.Cpu(), args[1], MnistData.Load(folder), output));
        return 0;
    case ["mnist", "mlp" or "cnn"]:
        output.WriteLine(MnistTraining.Run(GraphCompiler.Cpu(), args[1], MnistData.Synthetic(4000, 1000, seed: 1), output));
        return 0;
    case ["chargpt", var file]:
        output.WriteLine(GptTraining.Run(GraphCompiler.Cpu(), File.ReadAllText(file), progress: output));
        return 0;
    case ["chargpt", var file, var checkpoints]:
        output.WriteLine(GptTraining.Run(GraphCompiler.Cpu(), File.ReadAllText(file), progress: output, checkpoints: checkpoints));
        return 0;
    default:
        Console.Error.WriteLine(
            """
            usage: samples SAMPLE
              xor                       a small network learns the exclusive or
              linear-regression         a line is found in noise
              sequence                  an LSTM remembers the first symbol of a sequence
              gan                       two networks with two optimizers learn a distribution
              maml                      weights that adapt to a new sine in one step, by second derivatives
              mnist mlp|cnn [FOLDER]    handwritten digits; FOLDER holds the four IDX files, else drawn digits;
                                        FOLDER --export FILE also writes what was learned as an ONNX model
              chargpt FILE [FOLDER]     a small GPT learns the characters of a text, and writes; saves to FOLDER, and goes on from it
            """);
        return 2;
}
